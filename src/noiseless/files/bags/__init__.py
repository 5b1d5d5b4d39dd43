"""ROS 1 and ROS 2 bags: the pixels of their image topics pass through a function, and nothing else changes.

    with open_bag("run.bag") as bag:
        for topic in bag.topics:
            ...                                # topic.name, topic.encoding, topic.count
    rewrite_bag("run.bag", "clean.bag", lambda topic, frame: denoised)

Bags are read by rosbags, and rewritten record by record here. Its writers would give ROS 1 bags other chunks, and MCAP
files no publish times, sequence numbers, attachments and LZ4; here every byte that is not of a pixel stays (or says
where one lies): connections, latching, QoS, times, schemas, the split into files, and metadata.yaml.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from noiseless.names import Lazy, load

from .reading import Bag, BagMessage, ImageTopic, is_bag, open_bag
from .words import Clean, Progress

__all__ = ["Bag", "BagMessage", "ImageTopic", "is_bag", "open_bag", "rewrite_bag"]

_REWRITE = Lazy("noiseless.files.bags.rewriting:rewrite", extra="ros")


def rewrite_bag(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    clean: Clean,
    *,
    topics: Sequence[str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> tuple[ImageTopic, ...]:
    """Copy a bag with the pixels of its image topics changed; it appears whole or not at all.

    The result is of the same kind: ROS 1, or ROS 2 in SQLite or MCAP, compressed as the source is. Depth images, and
    compressed images that are neither JPEG nor PNG, are copied as they are, with a warning a topic.

    Parameters
    ----------
    source : a .bag file, the folder of a ROS 2 bag, or an .mcap or .db3 file
    target : a name of the same kind
    clean : from (stream, frame) to the new frame, of the same shape and dtype. A frame is (Y, X), or (Y, X, 3) RGB,
        of uint8 or uint16. The stream is the topic; the four planes of a Bayer mosaic are streams by themselves,
        topic#0 to topic#3. The frames of a stream come in the order of the bag.
    topics : names of the image topics to change; None: all
    overwrite : an existing bag is replaced
    progress : called with the share of the image messages that are done

    Returns
    -------
    The topics that passed through ``clean``.

    Raises
    ------
    UnreadableFile : missing, truncated, damaged or not a bag; no image topics; a message is damaged.
    UnsupportedFormat : an encoding that is not known; a target of another kind.
    UnwritableFile : the target exists, or cannot be written.
    InvalidParameter : a topic that is not there.
    InvalidImage : ``clean`` gave something that is not like the frame.
    MissingExtra : without the package rosbags.
    """
    rewritten: tuple[ImageTopic, ...] = load(_REWRITE)(
        Path(source), Path(target), clean, topics=topics, overwrite=overwrite, progress=progress
    )
    return rewritten
