"""A PostgreSQL server of the test's own, on a socket in a folder, where Debian's package is installed."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"


def programs():
    """The folder of initdb and pg_ctl, if there is one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    here = shutil.which("initdb")
    return found[-1].parent if found else Path(here).parent if here else None


@contextmanager
def postgres(folder, *, is_durable=True):
    """Run a server; yields its URL, without a schema.

    One that is not durable waits for no disk: what it holds does not outlive the machine.
    """
    bin_, data = programs(), folder / "data"
    # The server refuses to run as root.
    is_root = os.geteuid() == 0
    as_user = ["runuser", "-u", USER, "--"] if is_root else []
    if is_root:
        shutil.chown(folder, USER)
    quiet = {"check": True, "capture_output": True}
    begin = [*as_user, bin_ / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8"]
    subprocess.run([*begin, *([] if is_durable else ["--no-sync"])], **quiet)
    fsync = "on" if is_durable else "off"
    settings = f"-k {folder} -c listen_addresses= -c max_connections=60 -c fsync={fsync}"
    start = [*as_user, bin_ / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", settings, "start"]
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"postgresql://{USER}@/postgres?host={folder}"
    finally:
        stop = [*as_user, bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop"]
        subprocess.run(stop, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
