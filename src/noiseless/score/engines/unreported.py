"""OpenVINO without the part that reports.

When it is imported it tells its maker so over the network, by a package of its own, which keeps a file in the home
folder to know whom it reports. Where that package is missing it reports nothing; so it is made to seem missing. What is
denoised, and that it is, stays on the machine.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # what the import system takes for absent

import openvino  # noqa: E402
from openvino import opset13 as ops  # noqa: E402

__all__ = ["openvino", "ops"]
