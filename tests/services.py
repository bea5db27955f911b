"""`make test`: the whole suite on a private PostgreSQL and Redis, the storage part again on the embedded defaults, then `make check`.

Debian packages that are missing are installed where we may, else named. Both servers live in a temporary folder and go with this process.
"""

import contextlib
import ctypes
import getpass
import glob
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup"]
PR_SET_PDEATHSIG = 1


def postgres_program(name: str) -> str | None:
    """Debian keeps PostgreSQL's programs out of the path."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4]))
    return found[-1] if found else shutil.which(name)


def missing_packages() -> list[str]:
    present = {
        "postgresql": postgres_program("initdb"),
        "redis-server": shutil.which("redis-server"),
        "chromium": shutil.which("chromium"),
        "rabbitmq-server": Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists(),
        "haproxy": shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin"),
        "nginx": shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"),
        "fonts-noto-cjk": glob.glob("/usr/share/fonts/**/NotoSansCJK*", recursive=True),
        "fonts-dejavu-core": glob.glob("/usr/share/fonts/**/DejaVuSans.ttf", recursive=True),
    }
    return [package for package, found in present.items() if not found]


def install_packages() -> None:
    """Raises SystemExit naming what to install where we cannot do it."""
    packages = missing_packages()
    if not packages:
        return
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(
            f"The tests need programs that are not here. On Debian 12, as root: {' '.join(command)}\nElsewhere install the same: {packages}"
        )
    print("Installing Debian packages:", *packages, flush=True)
    # Run level 1: the packages' own services are not started, the tests run private ones.
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for step in (["apt-get", "update", "-qq"], command):
        done = subprocess.run(
            step, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{' '.join(step)} failed:\n{done.stdout}")


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: list[str], log: Path, *, user: str, end_with: signal.Signals, stdin: bytes = b"") -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            cwd=log.parent,
            process_group=0,
            preexec_fn=die_with_parent,  # noqa: PLW1509
            **as_user(user),
        )
    assert process.stdin
    process.stdin.write(stdin)
    process.stdin.close()
    try:
        yield process
    finally:
        process.send_signal(end_with)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def as_user(user: str) -> dict[str, object]:
    """Popen's arguments to become another user, which only root must: PostgreSQL refuses to run as root."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


@contextlib.contextmanager
def postgres(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """The URL of a server that listens on a socket in a folder that only its user can enter. `durable`: as one that is not for tests."""
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    home = folder / "postgres"
    home.mkdir(mode=0o700)
    shutil.chown(home, user)
    initdb = [
        str(postgres_program("initdb")),
        "-D",
        str(home / "data"),
        "-U",
        "nameplate",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
    subprocess.run(initdb, cwd=home, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **as_user(user))  # type: ignore[call-overload]
    options = {"listen_addresses": "", "unix_socket_directories": str(home), "max_connections": "200"}
    if not durable:
        options |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
    command = [
        str(postgres_program("postgres")),
        "-D",
        str(home / "data"),
        *(part for pair in options.items() for part in ("-c", "=".join(pair))),
    ]
    log = folder / "postgres.log"
    log.touch()
    with running(command, log, user=user, end_with=signal.SIGINT) as process:
        wait_for(
            lambda: subprocess.run([str(postgres_program("pg_isready")), "-h", str(home), "-q"], check=False).returncode == 0, process, log
        )
        yield f"postgres://nameplate@{quote(str(home), safe='')}/nameplate"


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    port, password = free_port(), secrets.token_hex(16)
    home = folder / "redis"
    home.mkdir(mode=0o700)
    # From standard input, so that the password stands in no list of processes. As the documents ask: appendonly, and no eviction.
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f"requirepass {password}",
        f"dir {home}",
        'save ""',
        "appendonly yes",
        "maxmemory-policy noeviction",
    ]
    log = folder / "redis.log"
    user = pwd.getpwuid(os.geteuid()).pw_name
    with running(
        [str(shutil.which("redis-server")), "-"], log, user=user, end_with=signal.SIGTERM, stdin="\n".join(lines).encode()
    ) as process:
        wait_for(lambda: answers(port), process, log)
        yield f"redis://:{password}@127.0.0.1:{port}/0"


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait_for(ready: object, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while not ready():  # type: ignore[operator]
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"A server for the tests did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.1)


def step(title: str, command: list[str], **env: str) -> tuple[str, int]:
    print(f"\n== {title} ==", flush=True)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("NAMEPLATE_", "DATABASE_URL", "REDIS_URL", "DJANGO_"))}
    process = subprocess.Popen(command, cwd=ROOT, env=own | env, stdin=subprocess.DEVNULL)
    try:
        return title, process.wait()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)  # pytest ends its own servers then.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()
            process.wait()


def run_all(arguments: list[str]) -> int:
    install_packages()
    results = []
    with tempfile.TemporaryDirectory(prefix="nameplate-services-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with postgres(folder) as database, redis(folder) as broker:
            results.append(
                step(
                    "All tests on PostgreSQL and Redis", [*PYTEST, *arguments], DATABASE_URL=database, REDIS_URL=broker, TESTS_ON="services"
                )
            )
    if not arguments:
        results.append(step("Storage and jobs again on SQLite and the folder broker", [*PYTEST, "-m", "storage"], TESTS_ON="embedded"))
        results.append(step("Checks", ["make", "check"]))
    print("\n== Result ==")
    for title, code in results:
        print(f"  {'passed' if code == 0 else f'FAILED ({code})'}  {title}")
    return int(any(code for _title, code in results))


def end(number: int, frame: object) -> None:
    """Once; the second one would interrupt the tidying up."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        sys.exit(run_all(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Stopped; the private servers are gone.")
