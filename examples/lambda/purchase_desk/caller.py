"""The caller: the identity that Lambda has verified, never one that a request claims."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import Header, HTTPException

_SHARED_SESSION = ":CognitoIdentityCredentials"
"""Session name of all users of an identity pool of Amazon Cognito."""


def caller(x_amzn_request_context: Annotated[str | None, Header()] = None) -> str:
    """The caller's unique IAM id: `AIDA...` of a user, `AROA...:session` of a role.

    The function URL (`AuthType: AWS_IAM`) checks the signature and puts the identity in the event.
    The Lambda Web Adapter forwards the identity in a header and drops one sent by the client.

    Raises:
        HTTPException: 401 without an identity, 403 for an identity that several users share.
    """
    context = json.loads(x_amzn_request_context or "{}")
    identity = ((context.get("authorizer") or {}).get("iam") or {}).get("userId")
    if not identity:
        raise HTTPException(401, "the request has no IAM identity; sign it")
    if identity.endswith(_SHARED_SESSION):
        raise HTTPException(403, "all users of a Cognito identity pool share this session name")
    return str(identity)
