from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.support import FULLEST, Synthesized, Synthesizer, key_arn

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def synthesizer(tmp_path_factory: pytest.TempPathFactory) -> Synthesizer:
    return Synthesizer(lambda: str(tmp_path_factory.mktemp("assembly")))


@pytest.fixture(scope="session")
def default(synthesizer: Synthesizer) -> Synthesized:
    return synthesizer.ready_made()


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of a zip file for a function."""
    path = tmp_path_factory.mktemp("package") / "sweep.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("code.py", "")
    return str(path)


@pytest.fixture(scope="session")
def fullest(synthesizer: Synthesizer, package: str) -> Synthesized:
    return synthesizer.ready_made(
        **FULLEST,
        kms_key_arn=key_arn(),
        replica_kms_key_arns={region: key_arn(region) for region in FULLEST["replica_regions"]},
        create_policies=True,
        sweep_schedule="rate(1 day)",
        sweep_package=package,
    )


@pytest.fixture(scope="session", autouse=True)
def _no_cloud() -> Iterator[None]:
    # No lookups: without credentials and without a region from the environment.
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "CDK_CONTEXT_JSON"):
            patch.delenv(name, raising=False)
        yield
