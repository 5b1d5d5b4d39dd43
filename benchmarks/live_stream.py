"""Does a live stream hold? MPEG-TS from ffmpeg on loopback, denoised for minutes, its source stopped and started again.

    python benchmarks/live_stream.py CLIP [--seconds 120] [--rate 15] [--size 640x480] [--budget-ms 120] [--to F.mkv]

The program ``ffmpeg`` sends the clip with noise, over and over, as H.264 in MPEG-TS over UDP; half way it is killed,
and begun again after five seconds. ``noiseless stream`` is a process of its own, whose resident memory is read every
second and whose report is printed at the end. Exits with 1 if memory grew by more than a tenth from the second fifth
of the time to the last, if no frame came after the source was begun again, or if the file written cannot be read.
"""

import argparse
import itertools
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import noiseless

GAP_S = 5.0


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def sender(clip, rate, size, address):
    filters = f"fps={rate},scale={size.replace('x', ':')},noise=alls=20:allf=t,format=yuv420p"
    command = ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", str(clip), "-an", "-vf", filters]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-crf", "18", "-g", str(rate)]
    return subprocess.Popen([*command, "-f", "mpegts", f"{address}?pkt_size=1316"], stdin=subprocess.DEVNULL)


def resident_mib(process):
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def watch(arguments, address, target):
    """The report of the stream, and its memory second by second."""
    sending = sender(arguments.clip, arguments.rate, arguments.size, address)
    command = [sys.executable, "-m", "noiseless", "stream", address, "--to", str(target), "--force", "--json"]
    command += ["--budget-ms", str(arguments.budget_ms), "--timeout", "30"]
    memory, stopped, begun = [], None, False
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stream:
        start = time.monotonic()
        while (now := time.monotonic() - start) < arguments.seconds and stream.poll() is None:
            if stopped is None and now > arguments.seconds / 2:
                sending.kill()
                sending.wait()
                stopped = now
            if stopped is not None and not begun and now > stopped + GAP_S:
                sending, begun = sender(arguments.clip, arguments.rate, arguments.size, address), True
            memory.append(resident_mib(stream))
            time.sleep(1.0)
        stream.send_signal(signal.SIGINT)
        said = stream.communicate(timeout=30)[0]
    sending.kill()
    sending.wait()
    return json.loads(said), memory


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--rate", type=int, default=15)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--budget-ms", type=float, default=120.0)
    parser.add_argument("--to", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        target = arguments.to or Path(folder) / "clean.mkv"
        report, memory = watch(arguments, f"udp://127.0.0.1:{free_port()}", target)
        with noiseless.files.open_video(target) as video:
            times = [float(frame.time) for frame in video]
    fifth = len(memory) // 5
    early, late = float(np.median(memory[fifth : 2 * fifth])), float(np.median(memory[-fifth:]))
    print(json.dumps(report, indent=2))
    print(f"resident: {early:.0f} MiB in the second fifth, {late:.0f} MiB in the last")
    print(f"{len(times)} frames written, over {times[-1] - times[0]:.0f} s")
    in_order = all(first < second for first, second in itertools.pairwise(times))
    return int(late > 1.1 * early or not in_order or times[-1] - times[0] < 0.9 * arguments.seconds - 2 * GAP_S)


if __name__ == "__main__":
    sys.exit(main())
