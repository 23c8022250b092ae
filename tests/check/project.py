# SPDX-License-Identifier: GPL-2.0-or-later
"""For the checks: all files of the project, also those that are not added yet. Importing it goes to
the project's top. As a program it prints them: project.py [PATTERN...], patterns as of the shell,
of which * stands for slashes, too."""
import fnmatch
import os
import subprocess
import sys

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
os.chdir(TOP)
NOT_OURS = {".git", "build", "__pycache__", ".pytest_cache"}


def walk():
    """For a source archive, which has no repository."""
    for folder, folders, names in os.walk("."):
        folders[:] = [name for name in folders if name not in NOT_OURS]
        yield from (os.path.normpath(os.path.join(folder, name)) for name in names)


def files(*patterns):
    """Paths from the top, sorted."""
    if os.path.exists(".git"):
        # root may look at somebody else's repository
        found = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others",
                                "--exclude-standard"], check=True, capture_output=True,
                               text=True).stdout.splitlines()
    else:
        found = walk()
    chosen = {path for path in found if os.path.isfile(path)
              and (not patterns or any(fnmatch.fnmatch(path, one) for one in patterns))}
    if not chosen and not patterns:
        sys.exit("tests/check/project.py:1: finds no file at all")
    return sorted(chosen)


if __name__ == "__main__":
    print("\n".join(files(*sys.argv[1:])))
