"""How much memory a program takes."""
import subprocess
import sys

# a process inherits the peak of the one that starts it, so that a small one must start it
MEASURE = """
import os, sys
process = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(process, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, file=sys.stderr)
"""


def run(*command, stdin=subprocess.DEVNULL):
    """Its status, its messages and its largest resident size in MiB; its output is thrown away."""
    done = subprocess.run([sys.executable, "-S", "-c", MEASURE, *command], stdin=stdin,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    *messages, last = done.stderr.splitlines()
    status, kilobytes = last.split()
    return int(status), "\n".join(messages), int(kilobytes) / 1024
