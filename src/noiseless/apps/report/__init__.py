"""Reports for people: one HTML file that asks nobody for anything, of an image, a folder or a video."""

from noiseless.apps.report.image_page import image_report
from noiseless.apps.report.sheets import Entry, Frame, folder_report, thumbnail, video_report, window_of
from noiseless.apps.report.writing import check, write_report

__all__ = [
    "Entry",
    "Frame",
    "check",
    "folder_report",
    "image_report",
    "thumbnail",
    "video_report",
    "window_of",
    "write_report",
]
