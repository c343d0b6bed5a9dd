"""Log lines with secrets in them, by class: seeded, so that nothing here is a secret of anybody.

Formats are those that the vendors document; values are random. Each line is written as programs
write it: as text, as a setting, as JSON, in a URL, in a header, in an error. Nothing is joined in
one piece in this file, so that no scanner takes it for a leak.
"""

import base64
import json
import random
import string
from dataclasses import dataclass

HEX, UPPER = "0123456789abcdef", string.ascii_uppercase
ALNUM, DIGITS = string.ascii_letters + string.digits, string.digits
URLSAFE = ALNUM + "-_"
EACH = 12


@dataclass(frozen=True, slots=True)
class Secret:
    """A line and the part of it that nobody may see."""

    kind: str
    line: str
    value: str


def corpus(seed=20260301, each=EACH):
    """Return so many lines of each class."""
    rng = random.Random(seed)  # noqa: S311 — it has to be the same each time
    return [one for kind in KINDS for n in range(each) for one in [_made(kind, n, rng)]]


def _made(kind, number, rng):
    value = KINDS[kind](rng)
    if isinstance(value, tuple):  # the class brings its own line
        line, value = value
        return Secret(kind, line, value)
    line = TOKEN_LINES[number % len(TOKEN_LINES)].replace("VALUE", value)
    return Secret(kind, line, value)


# A token that anybody can recognise stands in any text.
TOKEN_LINES = (
    "2026-03-01T03:00:00Z ERROR upstream refused token VALUE",
    "retrying with VALUE after 401",
    '{"level":"warn","msg":"bad credentials","used":"VALUE"}',
    "request failed: GET /v1/items?key=VALUE 403",
    "env dump: PATH=/usr/bin VENDOR=VALUE HOME=/root",
    "(VALUE) is not valid",
    "config loaded from VALUE, continuing",
    "curl -H 'X-Auth: VALUE' https://api.example.com",
    'panic: client("VALUE") timed out',
    "value=VALUE;region=eu",
    "token=[VALUE]",
    "VALUE",
)


def _of(alphabet, length):
    return lambda rng: "".join(rng.choices(alphabet, k=length))


def _token(prefix, alphabet, length, suffix=""):
    return lambda rng: f"{prefix}{_of(alphabet, length)(rng)}{suffix}"


def _named(*names, alphabet=ALNUM, length=24):
    """A value that only its name gives away: a password, a key of no known form."""
    forms = (
        "{n}={v}", "{n}: {v}", '"{n}":"{v}"', "'{n}': '{v}'", '{{"{n}": "{v}", "user": "a"}}',
        "export {n}={v}", "{n} = {v}", "--{n}={v}", "?{n}={v}&page=2",
    )  # fmt: skip

    def make(rng):
        name, value = rng.choice(names), _of(alphabet, length)(rng)
        value = f"{value[:5]}7{value[6:]}"  # a word alone is no password in a log
        line = rng.choice(forms).format(n=name, v=value)
        return f"worker-3 starts, {line} and listens", value

    return make


def _flag(*names):
    """A value that follows its flag on a command line, as an error or a list of processes shows."""
    forms = (
        "--{n} {v}", "-{n} {v}", "--{n} '{v}'", '--{n} "{v}"', '["--{n}","{v}"]', "--{n}  {v}",
    )  # fmt: skip

    def make(rng):
        value = _of(ALNUM, rng.choice((7, 24)))(rng)
        line = rng.choice(forms).format(n=rng.choice(names), v=value)
        return f"exec: tool run {line} --verbose exited with 1", value

    return make


def _header(scheme):
    forms = (
        "Authorization: {s} {v}", "authorization={s} {v}", '"Authorization":"{s} {v}"',
        "{{'authorization': '{s} {v}'}}", "-H 'Authorization: {s} {v}'",
    )  # fmt: skip

    def make(rng):
        value = _of(ALNUM, 32)(rng)
        if scheme == "Basic":
            value = base64.b64encode(f"svc:{value[:14]}".encode()).decode()
        return f"request {rng.choice(forms).format(s=scheme, v=value)} sent", value

    return make


def _jwt(rng):
    parts = ('{"alg":"RS256"}', json.dumps({"sub": _of(DIGITS, 9)(rng)}))
    made = [base64.urlsafe_b64encode(p.encode()).decode().rstrip("=") for p in parts]
    return ".".join([*made, _of(URLSAFE, 43)(rng)])


def _pem(name):
    def make(rng):
        body = "\n".join(_of(ALNUM + "+/", 64)(rng) for _ in range(4))
        begin, end = (f"-----{word} {name}PRIVATE" + " KEY-----" for word in ("BEGIN", "END"))
        text = f"{begin}\n{body}\n{end}"
        form = rng.choice(("loaded {t} from disk", "{j}", "key was {e}"))
        return form.format(t=text, j=json.dumps({"k": text}), e=text.replace("\n", "\\n")), body[
            :64
        ]

    return make


def _url(rng):
    scheme = rng.choice(("postgres", "mysql", "redis", "amqp", "mongodb+srv", "https", "ftp"))
    value = _of(ALNUM, 14)(rng)
    user = rng.choice(("app", "svc-orders", ""))
    return f"cannot connect to {scheme}://{user}:{value}@db.internal:5432/x: refused", value


def _luhn(rng):
    prefix, length = rng.choice((("4", 16), ("51", 16), ("37", 15), ("6011", 16)))
    digits = prefix + _of(DIGITS, length - len(prefix) - 1)(rng)
    total = sum(
        d if i % 2 else sum(divmod(2 * d, 10)) for i, d in enumerate(map(int, reversed(digits)))
    )
    number = digits + str(-total % 10)
    if length == 16 and rng.random() < 0.5:
        sign = rng.choice(" -")
        number = sign.join(number[i : i + 4] for i in range(0, 16, 4))
    return f"charge card {number} declined", number


def _email(rng):
    name = f"{_of(string.ascii_lowercase, 6)(rng)}.{_of(string.ascii_lowercase, 8)(rng)}"
    value = f"{name}@{rng.choice(('example.org', 'mail.example.co.uk'))}"
    return rng.choice(("mail to {v} bounced", '"to":"{v}"', "<{v}>")).format(v=value), value


def _cookie(rng):
    value = _of(URLSAFE, 32)(rng)
    form = rng.choice((
        "Cookie: sid={v}", "Set-Cookie: session={v}; Path=/; HttpOnly",
        '"cookie":"theme=dark; sid={v}"',
    ))  # fmt: skip
    return form.format(v=value), value


def _sas(rng):
    value = _of(ALNUM, 43)(rng) + "%3D"
    return (
        f"GET https://a.blob.core.windows.net/c?sv=2022-11-02&se=2026-01-01&sig={value} 403",
        value,
    )


def _docker(rng):
    value = base64.b64encode(f"user:{_of(ALNUM, 16)(rng)}".encode()).decode()
    return json.dumps({"auths": {"registry.example.com": {"auth": value}}}), value


KINDS = {
    "aws access key id": _token("AK" + "IA", UPPER + "234567", 16),
    "aws temporary key id": _token("AS" + "IA", UPPER + "234567", 16),
    "aws secret key": _named("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY",
                             alphabet=ALNUM + "/+", length=40),
    "github token": _token("gh" + "p_", ALNUM, 36),
    "github app token": _token("gh" + "s_", ALNUM, 36),
    "github fine-grained token": _token("github_" + "pat_", ALNUM, 22, "_" + "x" * 59),
    "gitlab token": _token("gl" + "pat-", URLSAFE, 20),
    "slack bot token": _token("xo" + "xb-1234567890-1234567890-", ALNUM, 24),
    "slack app token": _token("xa" + "pp-1-A012345-1234567890-", HEX, 64),
    "slack webhook": _token("https://hooks.slack.com/" + "services/T0AAAA/B0AAAAAAA/", ALNUM, 24),
    "stripe key": _token("sk_" + "live_", ALNUM, 24),
    "stripe restricted key": _token("rk_" + "live_", ALNUM, 24),
    "google api key": _token("AI" + "za", URLSAFE, 35),
    "google oauth secret": _token("GOC" + "SPX-", URLSAFE, 28),
    "google access token": _token("ya" + "29.", URLSAFE, 60),
    "azure storage key": _named("AccountKey", alphabet=ALNUM, length=86),
    "azure signed url": _sas,
    "npm token": _token("np" + "m_", ALNUM, 36),
    "pypi token": _token("py" + "pi-AgEIcHlwaS5vcmc", URLSAFE, 70),
    "sendgrid key": _token("S" + "G.", URLSAFE, 22, "." + "q" * 43),
    "twilio key": _token("S" + "K", HEX, 32),
    "mailgun key": _token("ke" + "y-", HEX, 32),
    "digitalocean token": _token("do" + "p_v1_", HEX, 64),
    "vault token": _token("hv" + "s.", URLSAFE, 90),
    "openai key": _token("sk-" + "proj-", URLSAFE, 48),
    "anthropic key": _token("sk-" + "ant-api03-", URLSAFE, 90),
    "hugging face token": _token("h" + "f_", ALNUM, 34),
    "databricks token": _token("da" + "pi", HEX, 32),
    "grafana token": _token("gl" + "sa_", ALNUM, 32, "_0a1b2c3d"),
    "new relic key": _token("NR" + "AK-", UPPER + DIGITS, 27),
    "shopify token": _token("shp" + "at_", HEX, 32),
    "square token": _token("sq0" + "csp-", URLSAFE, 43),
    "telegram bot token": _token("123456789:" + "AA", URLSAFE, 33),
    "postman key": _token("PM" + "AK-", HEX, 24, "-" + "0" * 34),
    "linear key": _token("lin_" + "api_", ALNUM, 40),
    "dynatrace token": _token("dt0" + "c01.", UPPER + "234567", 24, "." + "A" * 64),
    "doppler token": _token("dp." + "pt.", ALNUM, 43),
    "age key": _token("AGE-SECRET-" + "KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
    "json web token": _jwt,
    "private key": _pem("RSA "),
    "private key, pkcs8": _pem(""),
    "private key, openssh": _pem("OPENSSH "),
    "bearer header": _header("Bearer"),
    "basic header": _header("Basic"),
    "password": _named("password", "DB_PASSWORD", "passwd", "userPassword", "pwd"),
    "api key by name": _named("api_key", "X-Api-Key", "apikey", "DD_API_KEY", alphabet=HEX,
                              length=32),
    "secret by name": _named("client_secret", "SECRET_KEY", "signing-secret", "app.secret"),
    "token by name": _named("access_token", "refreshToken", "auth_token", "SESSION_TOKEN"),
    "pass by name": _named("DB_PASS", "smtp_pass", "MYAPP_PASS", "dbPass", "redis.pass"),
    "secret with an ending": _named("SECRET_KEY_BASE", "PASSWORD_2", "password_confirmation",
                                    "API_KEY_PROD", "secretKeyBase"),
    "flag": _flag("password", "token", "api-key", "db-password", "smtp-pass", "pass", "secret"),
    "credentials in a url": _url,
    "cookie": _cookie,
    "docker login": _docker,
    "card number": _luhn,
    "e-mail address": _email,
}  # fmt: skip
