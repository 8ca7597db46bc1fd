"""Who calls: the identity that Lambda has checked, never one that a request claims."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import Header, HTTPException

_SHARED_SESSION = ":CognitoIdentityCredentials"
"""Identity pools of Amazon Cognito name the sessions of all their users like this."""


def caller(x_amzn_request_context: Annotated[str | None, Header()] = None) -> str:
    """The caller's unique id of IAM: `AIDA...` of a user, `AROA...:session` of a role.

    The function URL (`AuthType: AWS_IAM`) checks the signature and says in the event whose it is.
    The Lambda Web Adapter passes that on in a header, in place of one that the client sends.

    Raises:
        HTTPException: 401 without an identity, 403 for one that several persons share.
    """
    context = json.loads(x_amzn_request_context or "{}")
    identity = ((context.get("authorizer") or {}).get("iam") or {}).get("userId")
    if not identity:
        raise HTTPException(401, "the request has no IAM identity; sign it")
    if identity.endswith(_SHARED_SESSION):
        raise HTTPException(403, "all users of a Cognito identity pool share this session name")
    return str(identity)
