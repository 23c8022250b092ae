# SPDX-License-Identifier: GPL-2.0-or-later
"""A bare Debian 12, which is made once, and what it takes to get packages there."""

import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CACHE = pathlib.Path(os.environ.get("BARE_CACHE") or
                     pathlib.Path.home() / ".cache" / "synward-bare").absolute()
SUITE, PACKAGES = "bookworm", ("git", "make", "ca-certificates")
# Of apt's settings, how to fetch; a program that finds proxies is not there.
FETCHING = re.compile(r"Acquire::(?!.*Auto-?Detect)(https?::|ftp::|Check-|Allow|Retries|ForceIP)")


class NotHere(RuntimeError):
    """This machine cannot do it; that says nothing about the project."""


class NoView(RuntimeError):
    """It could not be made: what, and why."""


def say(words):
    print(f"bare: {words}", file=sys.stderr, flush=True)


def output(*argv, **options):
    got = subprocess.run(argv, check=False, capture_output=True, text=True, **options)
    if got.returncode:
        said = got.stderr.strip().splitlines() or [f"exit {got.returncode}"]
        raise NoView(f"{argv[0]}: {said[-1]}")
    return got.stdout


# ---- where this machine has Debian from

def mirror():
    """debootstrap's argument for it; none if apt does not know, or in a way of its own."""
    with contextlib.suppress(NoView, OSError):
        for line in output("apt-get", "indextargets", "--format",
                           "$(RELEASE) $(COMPONENT) $(REPO_URI)",
                           "Created-By: Packages").splitlines():
            if line.startswith(f"{SUITE} main http"):
                return [line.split()[-1]]
    return []


def sources():
    """apt's files that name the release itself, as opposed to what others have for it."""
    apt = pathlib.Path("/etc/apt")
    for path in (apt / "sources.list", *sorted(apt.glob("sources.list.d/*"))):
        if path.suffix in (".list", ".sources") and path.is_file():
            words = re.sub(r"^\s*#.*", "", path.read_text(), flags=re.M).split()
            if "main" in words and {SUITE, f"{SUITE}-updates", f"{SUITE}-security"} & {*words}:
                yield path


def take_along(root, path):
    """Has a file or a directory of this machine in a view, too."""
    source, target = pathlib.Path(path), root / str(path).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore_dangling_symlinks=True)
    elif source.exists():
        target.unlink(missing_ok=True)
        shutil.copy(source, target)


def take_settings(root):
    """What it takes to get packages in a view from where this machine gets them."""
    for path in ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt",
                 "/usr/local/share/ca-certificates", "/usr/share/keyrings"):
        take_along(root, path)
    found = list(sources())
    if found:
        (root / "etc/apt/sources.list").unlink(missing_ok=True)
        for name in ("auth.conf", "auth.conf.d", "keyrings", "mirrors", "trusted.gpg",
                     "trusted.gpg.d"):
            take_along(root, f"/etc/apt/{name}")
    for path in found:
        take_along(root, path)
    with contextlib.suppress(NoView, OSError):
        lines = output("apt-config", "dump").splitlines(keepends=True)
        (root / "etc/apt/apt.conf.d/90machine").write_text(
            "".join(line for line in lines if FETCHING.match(line)))


# ---- the bare root, of which there is one

def make_root(ready):
    """All of it or nothing: it gets its name when it is complete and on the disk."""
    for left in CACHE.glob("making-*"):  # nobody is making one: this has the lock
        shutil.rmtree(left)
    say(f"making a bare Debian 12 in {CACHE}, once: takes a minute or two")
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="making-") as work:
        root, log = pathlib.Path(work, "root"), pathlib.Path(work, "log")
        # with mounts and processes that end with it, as it does with this one
        argv = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork",
                "--kill-child", "--mount-proc", "debootstrap", "--variant=minbase",
                f"--include={','.join(PACKAGES)}", SUITE, root, *mirror())
        with open(log, "w", encoding="utf-8") as file:
            code = subprocess.run(argv, check=False, stdin=subprocess.DEVNULL, stdout=file,
                                  stderr=file).returncode
        if code:
            said = log.read_text(errors="replace").strip().splitlines() or [f"exit {code}"]
            raise NoView(f"debootstrap failed: {said[-1]}")
        os.sync()
        root.rename(ready)


def bare_root():
    """The directory of a root that is complete. Whoever comes second waits for the first."""
    ready = CACHE / "+".join((SUITE, *PACKAGES))
    if ready.is_dir():
        return ready
    if not shutil.which("debootstrap"):
        raise NotHere("there is no debootstrap to make a bare Debian 12 with")
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another run, which is making a bare Debian 12 in {CACHE}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.is_dir():
            make_root(ready)
    return ready
