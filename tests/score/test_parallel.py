import subprocess
import sys

import pytest

pytest.importorskip("torch")

SCRIPT = """
import torch
from noiseless.score import parallel
device = parallel.join(torch.device("cpu"))
gradients = [torch.full((2, 3), 1.0 + parallel.rank()), torch.tensor([4.0 * parallel.rank()])]
parallel.average(gradients)
assert torch.equal(gradients[0], torch.full((2, 3), 1.5)), gradients
assert torch.equal(gradients[1], torch.tensor([2.0])), gradients
assert parallel.longest(10.0 + parallel.rank(), device) == 11.0
assert parallel.processes() == 2
parallel.leave()
"""


def test_gradients_are_averaged_and_the_longest_time_agreed_on(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    result = subprocess.run([*torchrun, str(script)], check=False, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-2000:]
