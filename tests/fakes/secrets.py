"""Texts with fake credentials in every form that is known to appear in messages of others.

Each is put together from pieces when it is used, and spells FAKE, so that no scanner takes this file for a leak.
"""

from dataclasses import dataclass

_FAKE = "FAKE0fake1"


@dataclass(frozen=True, slots=True)
class Leak:
    """A text with a credential in it."""

    name: str
    text: str
    secrets: tuple[str, ...]
    """What must not be left of it."""


def _key_id(kind: str = "AK") -> str:
    return f"{kind}IA{'FAKE' * 4}"


def _jwt() -> str:
    return ".".join(("ey" + "J" + _FAKE * 2, _FAKE * 3, _FAKE + "-sig_nature"))


def _session_token() -> str:
    return "IQoJ" + "b3JpZ2lu" + _FAKE * 4 + "/+="


def _leak(name: str, before: str, *secrets: str, after: str = "") -> Leak:
    return Leak(name, before.format(*secrets) + after, secrets)


def leaks() -> list[Leak]:
    """Return one text per form."""
    signature, password, secret_key = "0fake1" * 10, "fake-pass:wor%40d", "FAKE/fake+" * 4
    prefixed = {
        "hugging face": "hf" + "_" + _FAKE * 3,
        "github": "gh" + "p_" + _FAKE * 3,
        "github fine grained": "github" + "_pat_" + _FAKE * 3,
        "gitlab": "glp" + "at-" + _FAKE * 2,
        "slack": "xo" + "xb-" + "1" * 10 + "-" + _FAKE,
        "anthropic": "sk-" + "ant-" + _FAKE * 3,
        "npm": "npm" + "_" + _FAKE * 4,
        "google api": "AI" + "za" + _FAKE * 4,
        "google oauth": "ya" + "29." + _FAKE * 3,
        "key id": _key_id(),
        "temporary key id": _key_id("AS"),
        "session token": _session_token(),
        "JSON Web Token": _jwt(),
    }
    return [
        *(_leak(name, "{}", value) for name, value in prefixed.items()),
        _leak(
            "presigned URL",
            "https://b.s3.amazonaws.com/k?X-Amz-Credential={}&X-Amz-Date=20300102T000000Z&X-Amz-Security-Token={}"
            "&X-Amz-Signature={}",
            f"{_key_id()}%2F20300102%2Fus-east-2%2Fs3%2Faws4_request",
            _session_token(),
            signature,
        ),
        _leak("old presigned URL", "https://h/k?AWSAccessKeyId={}&Expires=1&Signature={}", _key_id(), "0fake%3D"),
        _leak("encoded URL", "https://h/?next=https%3A%2F%2Fb%2Fk%3FX-Amz-Signature%3D{}", signature),
        _leak("presigned URL of Google", "https://h/o?X-Goog-Credential={}&X-Goog-Signature={}", "fake%40p", signature),
        _leak("SAS of Azure", "https://a.blob.core.windows.net/c?sv=2030-01-01&sp=r&sig={}&se=2030", "fake%2Bfake%3D"),
        _leak("account key of Azure", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}", secret_key + "=="),
        _leak("proxy", "http://user:{}@proxy.internal:3128", password),
        _leak("password with slashes", "https://user:{}@host/path", "fake/pass/word"),
        _leak("database", "postgresql://user:{}@db.internal:5432/name?sslmode=require", password),
        _leak("token as user", "https://{}@git.internal/r.git", "0fake1" * 4),
        _leak("bearer", "Authorization: Bearer {}", _FAKE * 2),
        _leak("basic", "Proxy-Authorization: Basic {}", "ZmFrZTpmYWtl"),
        _leak(
            "signed header",
            "Authorization: AWS4-HMAC-SHA256 Credential={}/20300102/us-east-2/sts/aws4_request,"
            " SignedHeaders=host;x-amz-date, Signature={}",
            _key_id(),
            signature,
        ),
        _leak("answer of STS", '{{"SecretAccessKey": "{}", "SessionToken": "{}"}}', secret_key, _session_token()),
        _leak("escaped answer of STS", '{{\\"SecretAccessKey\\": \\"{}\\"}}', secret_key),
        _leak("credentials file", "aws_secret_access_key = {}", secret_key),
        _leak("credentials of STS", "aws_session_token={}", _session_token()),
        _leak("pair of keys", "{}:{}", _key_id(), secret_key),
        _leak("canonical request", "host:sts.amazonaws.com x-amz-security-token:{}", _session_token()),
        _leak("environment", "DB_PASSWORD={}", "fakeword"),
        _leak("environment map", "{{HUGGING_FACE_HUB_TOKEN={}, WANDB_API_KEY={}}}", "fakefake1", "0fake1" * 6),
        _leak("field", "password: {}", "fake1word"),
        _leak("private key", "-----BEGIN RSA PRIVATE" + " KEY-----\n{}\n-----END", _FAKE * 5),
    ]


def cut_leaks() -> list[Leak]:
    """Return texts that somebody has cut within the credential, as SageMaker cuts a failure's reason."""
    return [
        _leak("cut signature", "https://b.s3.amazonaws.com/k?X-Amz-Signature={}", "0fake1"),
        _leak("cut password of a URL", "could not connect to https://user:{}", "fakeword"),
        _leak("cut password of a URL, marked", "could not connect to https://user:{}", "fakeword", after="…"),
        _leak("cut session token", 'SessionToken": "{}', "IQoJ" + "b3Jp"),
        _leak("cut JSON Web Token", "{}", "ey" + "J" + _FAKE * 2 + "." + _FAKE),
        _leak("cut private key", "-----BEGIN PRIVATE" + " KEY-----\n{}", _FAKE),
    ]
