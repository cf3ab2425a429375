# SPDX-License-Identifier: BSD-2-Clause
"""`make guiconfig` in a window: run this file under xvfb-run, with the output folder. Prints the window's title.

Tk programs on one display can send commands to each other; so the window is looked at, told to save, and closed.
"""
from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import tkinter

WAIT_S = 120.0


def other_program(root: tkinter.Tk, job: subprocess.Popen[str]) -> str:
    """The name of guiconfig among the Tk programs of the display, as soon as it is there."""
    mine, end = str(root.tk.call("tk", "appname")), time.monotonic() + WAIT_S
    while time.monotonic() < end and job.poll() is None:
        root.update()
        for name in root.tk.call("winfo", "interps"):
            if name != mine:
                return str(name)
        time.sleep(0.1)
    job.kill()
    raise SystemExit(f"no window: {job.communicate()[0]}")


def main(folder: str) -> int:
    root = tkinter.Tk()
    root.withdraw()
    job = subprocess.Popen(["make", "--no-print-directory", f"O={folder}", "guiconfig"], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    name = other_program(root, job)
    title, shown = (root.tk.call("send", name, what) for what in ("wm title .", "winfo viewable ."))
    print(f"window: {title}, viewable {shown}")
    for what in ("focus -force .", "event generate . <Control-s>", "event generate . <Escape>", "destroy ."):
        with contextlib.suppress(tkinter.TclError):  # it has gone already
            root.tk.call("send", "-async", name, what)
        time.sleep(0.5)
    print(job.communicate(timeout=WAIT_S)[0])
    return job.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
