"""The work itself, from a file to its results: what the command line and the service both do.

Which files there are, what their results are called, what is said of them and to whom is the matter of those two.
"""

from noiseless.apps.work.asked import check_for_frames, noise_as_said
from noiseless.apps.work.bags import denoise_bag, is_bag
from noiseless.apps.work.history import law, levels, what_was_done
from noiseless.apps.work.images import Done, denoise_image, read_image
from noiseless.apps.work.job import STANDARD, Job, inserted, name_of
from noiseless.apps.work.large import (
    WHOLE_BYTES,
    Large,
    Limits,
    denoise_large,
    large_image,
    limits_of,
    memory_of_machine,
)
from noiseless.apps.work.settings import Settings
from noiseless.apps.work.videos import denoise_video, is_video, law_of_video

__all__ = [
    "STANDARD",
    "WHOLE_BYTES",
    "Done",
    "Job",
    "Large",
    "Limits",
    "Settings",
    "check_for_frames",
    "denoise_bag",
    "denoise_image",
    "denoise_large",
    "denoise_video",
    "inserted",
    "is_bag",
    "is_video",
    "large_image",
    "law",
    "law_of_video",
    "levels",
    "limits_of",
    "memory_of_machine",
    "name_of",
    "noise_as_said",
    "read_image",
    "what_was_done",
]
