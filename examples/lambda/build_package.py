"""Build the function's package: only what the function imports, for Lambda's Linux.

    python -m examples.lambda.build_package

The command downloads wheels of Lambda's platform, so it needs no Docker and runs on any machine. It
compiles bytecode if the function's version of Python is installed.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
OUTPUT = HERE / "build"
DEFAULT_PYTHON = "3.13"
DEFAULT_ARCHITECTURE = "arm64"
ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
"""Names of architectures: Lambda's, and that of wheels."""
GLIBC = {"3.10": 26, "3.11": 26, "3.12": 34, "3.13": 34, "3.14": 34}
"""Minor version of glibc 2 in the runtime of each Python: Amazon Linux 2 or 2023."""
_WHEEL_GLIBC = (34, 31, 28, 27, 26, 24, 17, 12, 5)
"""Minor versions of glibc 2 that wheels are built for."""
_LIMIT_MB = 250
"""Lambda's limit for the unpacked package with its layers."""
_SERVICES = ("dynamodb", "s3", "sts")
"""Services that the saver and its credentials use, of the 400 that botocore describes."""


class PackageError(Exception):
    """The package cannot be built; the message says why."""


@dataclass(frozen=True)
class Built:
    """The target of a package: the stack configures the function with it.

    Attributes:
        python: Version of Python, such as `3.13`.
        architecture: Lambda's name of the architecture.
        compiled: Whether the package contains bytecode.
    """

    python: str
    architecture: str
    compiled: bool

    @classmethod
    def read(cls, folder: Path) -> Built:
        """Read `built.json` of a package.

        Raises:
            PackageError: There is no package.
        """
        path = folder / "built.json"
        if not path.exists():
            raise PackageError(f"there is no package in {folder}; run build_package.py first")
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def build(python: str, architecture: str, folder: Path) -> Built:
    """Build the package, replacing an existing one.

    Args:
        python: Version of the runtime, such as `3.13`.
        architecture: `arm64` or `x86_64`.
        folder: Output folder. It gets the package in `package`, and `built.json`.

    Returns:
        The target of the package.

    Raises:
        PackageError: pip failed, or the package is too large.
    """
    package = folder / "package"
    shutil.rmtree(folder, ignore_errors=True)
    _install(package, python, ARCHITECTURES[architecture])
    _leave_out(package)
    shutil.copytree(
        HERE / "purchase_desk",
        package / "purchase_desk",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copy(HERE / "run.sh", package)
    built = Built(python, architecture, compiled=_compile(package, python))
    if sum(_sizes(package).values()) > _LIMIT_MB * 2**20:
        raise PackageError(f"the package is larger than the {_LIMIT_MB} MB that Lambda takes")
    (folder / "built.json").write_text(json.dumps(asdict(built)), encoding="utf-8")
    return built


def report(built: Built, package: Path) -> str:
    """Describe the size of the package and its largest parts."""
    sizes = _sizes(package)
    largest = sorted(sizes.items(), key=lambda one: -one[1])[:6]
    bytecode = "with bytecode" if built.compiled else "WITHOUT bytecode"
    lines = [
        f"{built.architecture}, Python {built.python}, {bytecode}",
        f"{_mb(sum(sizes.values()))} unpacked, {_mb(_zipped(package))} zipped",
        *(f"{_mb(size):>10}  {name}" for name, size in largest),
    ]
    if not built.compiled:
        lines.append(
            f"python{built.python} is not on this machine: every cold start compiles all modules"
        )
    return "\n".join(lines)


def _install(package: Path, python: str, machine: str) -> None:
    glibc = [minor for minor in _WHEEL_GLIBC if minor <= GLIBC[python]]
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in glibc]
    platforms.append(f"manylinux2014_{machine}")
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--target", str(package), "--no-compile", "--only-binary", ":all:"),
        *("--implementation", "cp", "--python-version", python),
        *(f"--platform={platform}" for platform in platforms),
        *("--requirement", str(HERE / "requirements.txt"), f"{REPOSITORY}[zstd]"),
    ]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own arguments
        raise PackageError("pip could not install the requirements; what it says is above")


def _leave_out(package: Path) -> None:
    shutil.rmtree(package / "bin", ignore_errors=True)
    for described in (package / "botocore" / "data").iterdir():
        if described.is_dir() and described.name not in _SERVICES:
            shutil.rmtree(described)


def _compile(package: Path, python: str) -> bool:
    """Compile bytecode; return whether it could be compiled.

    Lambda's file system is read-only: without bytecode, each cold start compiles every module. The
    archive does not keep modification times, so the bytecode must be valid for any of them.
    """
    compiler = shutil.which(f"python{python}")
    if compiler is None or _version(compiler) != python:
        return False
    subprocess.run(  # noqa: S603 - our own arguments
        [
            *(compiler, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
            *("-s", str(package), "-p", "/var/task", str(package)),
        ],
        check=True,
    )
    return True


def _version(interpreter: str) -> str:
    """The version that an interpreter reports; empty if it does not start."""
    ask = "import sys; print(f'{sys.version_info[0]}.{sys.version_info[1]}')"
    answer = subprocess.run([interpreter, "-c", ask], capture_output=True, text=True, check=False)  # noqa: S603 - found by its name
    return answer.stdout.strip()


def _sizes(package: Path) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for path in package.rglob("*"):
        if path.is_file():
            name = path.relative_to(package).parts[0]
            sizes[name] = sizes.get(name, 0) + path.stat().st_size
    return sizes


def _zipped(package: Path) -> int:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(package.rglob("*")):
            # Not `write`: zip cannot store times before 1980, which files of wheels may have.
            if path.is_file():
                packed.writestr(str(path.relative_to(package)), path.read_bytes())
    return len(archive.getvalue())


def _mb(size: int) -> str:
    return f"{size / 2**20:.1f} MB"


def main() -> int:
    """Build the package and print its size.

    Returns:
        Exit code: 0 if the package was built.
    """
    parser = argparse.ArgumentParser(description="Build the function's package.")
    parser.add_argument("--python", default=DEFAULT_PYTHON, choices=GLIBC)
    parser.add_argument("--architecture", default=DEFAULT_ARCHITECTURE, choices=ARCHITECTURES)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    chosen = parser.parse_args()
    try:
        built = build(chosen.python, chosen.architecture, chosen.output)
    except PackageError as error:
        print(error, file=sys.stderr)
        return 1
    print(report(built, chosen.output / "package"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
