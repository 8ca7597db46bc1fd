"""Synthesis of constructs into the resources of a template."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from aws_cdk import App, BootstraplessSynthesizer, Stack

if TYPE_CHECKING:
    from collections.abc import Callable


def synthesized_resources(add_constructs: Callable[[Stack], object]) -> dict[str, Any]:
    """Synthesize a stack that needs neither bootstrap nor assets.

    Args:
        add_constructs: Adds the constructs to the stack.

    Returns:
        The resources of the stack's template, by logical id.
    """
    with TemporaryDirectory() as folder:
        app = App(outdir=folder, analytics_reporting=False)
        stack = Stack(app, "Template", synthesizer=BootstraplessSynthesizer())
        add_constructs(stack)
        template = app.synth().get_stack_by_name(stack.stack_name).template
        resources: dict[str, Any] = template["Resources"]
        return resources
