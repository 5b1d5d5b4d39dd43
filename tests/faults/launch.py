"""A process that has it hard from its first moment on: ``python -I -S launch.py FAULTS PROGRAM ...``.

FAULTS is a JSON object; the program takes the place of this process, so that its signals and exit code are its own.

bound : mode bits bind, though the user is root
full : [folder, bytes]; a file system of so many bytes lies over the folder, in sight of this process alone
files : bytes that a file may have; more is an error, not a signal
memory : bytes of address space
gone : the working directory is removed
closed : descriptors to close
deaf : signals to ignore
"""

import ctypes
import json
import os
import resource
import signal
import sys

NEW_MOUNTS, NEW_USER, PRIVATE = 0x20000, 0x10000000, 0x4000 | 0x40000
DROP_OF_BOUNDING_SET, WRITES_ALL, READS_ALL = 24, 1, 2
REFUSED = 77


def main(faults, program):
    """Set the faults, and become the program."""
    system = ctypes.CDLL(None, use_errno=True)
    if faults.get("bound"):
        for capability in (WRITES_ALL, READS_ALL):
            system.prctl(DROP_OF_BOUNDING_SET, capability, 0, 0, 0)
    if "full" in faults:
        cover(system, *faults["full"])
    if "files" in faults:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (faults["files"], resource.RLIM_INFINITY))
    if "memory" in faults:
        resource.setrlimit(resource.RLIMIT_AS, (faults["memory"], faults["memory"]))
    if faults.get("gone"):
        os.rmdir(os.getcwd())
    for number in faults.get("deaf", ()):
        signal.signal(number, signal.SIG_IGN)
    for descriptor in faults.get("closed", ()):
        os.close(descriptor)
    os.execv(program[0], program)


def cover(system, folder, size):
    """Mount a small file system, in a world of its own; leave with REFUSED where that is not allowed."""
    user, group = os.getuid(), os.getgid()
    if system.unshare(NEW_MOUNTS | (0 if user == 0 else NEW_USER)):
        sys.exit(REFUSED)
    if user:
        for name, line in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w") as stream:
                stream.write(line)
    # Otherwise the mount would be seen by everybody.
    if system.mount(None, b"/", None, PRIVATE, None) or system.mount(
        b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={size}".encode()
    ):
        sys.exit(REFUSED)
    os.chdir(os.getcwd())  # or this process would stay in what lies below


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
