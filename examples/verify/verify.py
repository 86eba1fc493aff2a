"""Verifies an access token: python verify.py TOKEN, after pip install "PyJWT[crypto]"."""

import functools, http.client, json, os, re, sys, time
from urllib.parse import urlsplit

import jwt

PUBLIC_URL, POOL, AUDIENCE = (os.environ["FREEHOLD_" + name] for name in ("PUBLIC_URL", "POOL", "AUDIENCE"))
URL = urlsplit(PUBLIC_URL)
IS_SAFE = URL.scheme == "https" or URL.scheme == "http" and URL.hostname in ("127.0.0.1", "::1", "localhost")
if not IS_SAFE or PUBLIC_URL != f"{URL.scheme}://{URL.netloc}":
    sys.exit("FREEHOLD_PUBLIC_URL is not an https origin")

UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def verify(token):
    claimed = jwt.decode(token, options={"verify_signature": False})
    sub, issuer = claimed.get("sub"), claimed.get("iss")  # Nothing is verified yet: only the one right issuer is asked.
    if not isinstance(sub, str) or not UUID.fullmatch(sub) or issuer != f"{PUBLIC_URL}/{POOL}/users/{sub}":
        raise jwt.InvalidIssuerError("not an issuer of this pool")
    keys = keys_of(issuer, time.time() // 60)
    if not keys:
        raise jwt.InvalidIssuerError("the issuer has no keys")
    key = keys[jwt.get_unverified_header(token).get("kid")]
    rules = {"audience": AUDIENCE, "issuer": issuer, "leeway": 5, "options": {"require": ["exp"]}}
    verified = jwt.decode_complete(token, key, algorithms=["RS256"], **rules)
    if verified["header"].get("typ") != "at+jwt" or verified["payload"].get("client_id") != POOL:
        raise jwt.InvalidTokenError("not an access token for this pool")
    return verified["payload"]


@functools.lru_cache(maxsize=1000)  # At most 1,000 answers, failures among them, each used for at most a minute.
def keys_of(issuer, minute):
    connect = http.client.HTTPSConnection if URL.scheme == "https" else http.client.HTTPConnection
    connection = connect(URL.netloc, timeout=2)  # It follows no redirects.
    try:
        connection.request("GET", urlsplit(issuer).path + "/.well-known/jwks.json")
        response = connection.getresponse()
        body = response.read(16 * 1024 + 1)
        return jwt.PyJWKSet.from_json(body) if response.status == 200 and len(body) <= 16 * 1024 else None
    except (OSError, http.client.HTTPException, ValueError, jwt.PyJWTError):
        return None
    finally:
        connection.close()


if __name__ == "__main__":
    try:
        print(json.dumps(verify(sys.argv[1])))
    except Exception as error:
        sys.exit(f"refused: {error}")
