"""Certificates as proxies and brokers hand them on: each form is read to the same DER, and what could be read two ways is refused."""

import random
from contextlib import suppress
from urllib.parse import quote

import pytest

from console.crypto.certificates import pem, reading
from console.errors import DomainError
from registration.protocols import presented_certificates as presented
from registration.protocols.base import Malformed
from registration.protocols.presented_certificates import NoCertificatePresented, Proxy, ProxyRefused, from_headers
from tests.registration import golden_certificates as golden
from tests.registration.golden_certificates import LEAF, MIDDLE

FORWARDED = "X-Forwarded-Client-Cert"


def test_the_recorded_headers_are_read() -> None:
    assert from_headers(Proxy.NGINX, golden.NGINX) == (LEAF,)
    assert from_headers(Proxy.HAPROXY, golden.HAPROXY) == (LEAF, MIDDLE)
    assert from_headers(Proxy.ENVOY, golden.ENVOY) == (LEAF, MIDDLE)
    assert reading.from_der(LEAF).sha1 == golden.SHA1.lower()
    assert reading.from_der(LEAF).common_names == ("A4DA32000001",)


def test_brokers_send_base64_of_the_der_whatever_they_call_it() -> None:
    assert presented.from_emqx(golden.LEAF_BASE64) == presented.from_vernemq(golden.LEAF_BASE64) == (LEAF,)
    assert presented.from_emqx(pem.armoured(LEAF)) == presented.from_emqx(quote(pem.armoured(LEAF))) == (LEAF,)
    assert "+" in golden.LEAF_BASE64, "a plus sign that became a blank would go unnoticed"


@pytest.mark.parametrize("value", [None, "", "undefined", "null"])
def test_a_broker_says_that_there_is_no_certificate(value: object) -> None:
    for read in (presented.from_emqx, presented.from_vernemq):
        with pytest.raises(NoCertificatePresented):
            read(value)


@pytest.mark.parametrize("value", [1, [], {}, "@", "MII", "AAAA", golden.LEAF_BASE64 + "AAAA", golden.LEAF_BASE64[:-4], "A" * 70_000, "é"])
def test_a_broker_s_member_that_is_no_certificate_is_malformed(value: object) -> None:
    with pytest.raises(Malformed) as refused:
        reading.from_der(presented.from_emqx(value)[0])
    assert refused.value.field == "cert_pem"


def test_names_of_headers_come_in_any_case() -> None:
    assert from_headers(Proxy.NGINX, {name.upper(): value for name, value in golden.NGINX.items()}) == (LEAF,)


# -- nginx ---------------------------------------------------------------------------------------------------------------------------------
def test_nginx_says_that_there_is_no_certificate() -> None:
    for more in ({}, {"X-SSL-Client-Cert": ""}):
        with pytest.raises(NoCertificatePresented):
            from_headers(Proxy.NGINX, {"X-SSL-Client-Verify": "NONE", **more})


def test_nginx_leaves_trust_to_us_where_it_did_not_verify() -> None:
    assert from_headers(Proxy.NGINX, golden.NGINX | {"X-SSL-Client-Verify": "FAILED:unable to verify the first certificate"}) == (LEAF,)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-SSL-Client-Cert": golden.NGINX["X-SSL-Client-Cert"]},
        golden.NGINX | {"X-SSL-Client-Verify": "NONE"},
        golden.NGINX | {"X-SSL-Client-Verify": "0"},
        golden.NGINX | {"X-SSL-Client-Verify": "SUCCESS,SUCCESS"},
        golden.NGINX | {"X-SSL-Client-Cert": ""},
        golden.NGINX | {"X-SSL-Client-Cert": "%"},
        golden.NGINX | {"X-SSL-Client-Cert": golden.NGINX["X-SSL-Client-Cert"].replace("%2B", " ")},
        golden.NGINX | {"X-SSL-Client-Cert": golden.NGINX["X-SSL-Client-Cert"][:-8]},
        golden.NGINX | {"X-SSL-Client-Cert": ",".join([golden.NGINX["X-SSL-Client-Cert"]] * 2)},
        golden.NGINX | {"X-SSL-Client-Cert": "subject%3Dx%0A" + golden.NGINX["X-SSL-Client-Cert"]},
        golden.NGINX | {"X-SSL-Client-Cert": golden.NGINX["X-SSL-Client-Cert"] * 80},
    ],
)
def test_headers_of_nginx_that_contradict_each_other_or_are_damaged(headers: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        from_headers(Proxy.NGINX, headers)


def test_a_private_key_in_a_header_is_not_repeated() -> None:
    text = quote("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqG\n-----END PRIVATE KEY-----\n")
    with pytest.raises(Malformed) as refused:
        from_headers(Proxy.NGINX, golden.NGINX | {"X-SSL-Client-Cert": text})
    assert "MIGH" not in repr(refused.value) and "private key" in refused.value.message


# -- HAProxy -------------------------------------------------------------------------------------------------------------------------------
def test_haproxy_without_a_certificate_says_verify_0_and_is_not_believed() -> None:
    with pytest.raises(NoCertificatePresented):
        from_headers(Proxy.HAPROXY, golden.HAPROXY_NONE)
    with pytest.raises(Malformed):
        from_headers(Proxy.HAPROXY, golden.HAPROXY | {"X-SSL-Client-Used": "0"})


def test_haproxy_did_not_accept_it() -> None:
    with pytest.raises(ProxyRefused) as refused:
        from_headers(Proxy.HAPROXY, golden.HAPROXY_LEAF_ALONE)
    assert refused.value.facts == {"verify": "21"}


@pytest.mark.parametrize(
    "spoiled",
    [
        {"X-SSL-Client-Used": ""},
        {"X-SSL-Client-Verify": ""},
        {"X-SSL-Client-Used": "true"},
        {"X-SSL-Client-Used": "1,1"},
        {"X-SSL-Client-DER": ""},
        {"X-SSL-Client-DER": golden.LEAF_BASE64[:-1]},
        {"X-SSL-Client-DER": f"{golden.LEAF_BASE64},{golden.LEAF_BASE64}"},
        {"X-SSL-Client-Chain-DER": "?"},
    ],
)
def test_headers_of_haproxy_that_are_missing_or_damaged(spoiled: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        from_headers(Proxy.HAPROXY, golden.HAPROXY | spoiled)


# -- Envoy ---------------------------------------------------------------------------------------------------------------------------------
CERT = golden.envoy_escaped(pem.armoured(LEAF))


@pytest.mark.parametrize(
    ("text", "chain"),
    [
        (f"Cert={CERT}", (LEAF,)),
        (f'Cert="{golden.nginx_escaped(pem.armoured(LEAF))}"', (LEAF,)),
        (f'cert="{CERT}"', (LEAF,)),
        (f'Chain="{CERT}{golden.envoy_escaped(pem.armoured(MIDDLE))}"', (LEAF, MIDDLE)),
        (f'Subject="CN=a,Cert={CERT}";Cert="{CERT}"', (LEAF,)),
        (rf'Subject="CN=\";Cert=x,";Cert="{CERT}"', (LEAF,)),
        (f"Cert=forged,Cert={CERT}", (LEAF,)),
        (f'Hash=00;Cert="x" , By=me;Cert="{CERT}"', (LEAF,)),
    ],
)
def test_of_several_elements_the_nearest_hop_s_counts(text: str, chain: tuple[bytes, ...]) -> None:
    assert from_headers(Proxy.ENVOY, {FORWARDED: text}) == chain


@pytest.mark.parametrize("text", ["", " "])
def test_envoy_adds_nothing_where_there_is_no_certificate(text: str) -> None:
    for headers in ({}, {FORWARDED: text}):
        with pytest.raises(NoCertificatePresented):
            from_headers(Proxy.ENVOY, headers)


@pytest.mark.parametrize(
    "text",
    [
        golden.FARTHER_HOP,
        'By=spiffe://a;Hash=abc;Subject="";URI=spiffe://b',
        f"Cert={CERT},{golden.FARTHER_HOP}",
        f"Cert={CERT},",
        f"Cert={CERT};",
        f"Cert={CERT};Cert={CERT}",
        f'Cert="{CERT}',
        f'Cert={CERT}"',
        f'Cert="{CERT}"x',
        f'Cert="{CERT}\\',
        f"Hash=00;Cert={CERT}",
        f'Cert={CERT};Chain="{golden.envoy_escaped(pem.armoured(MIDDLE))}"',
        f"Cert={CERT}{CERT.replace('A', 'B')}",
        "Cert=",
        "=",
        ";",
        ",",
        "Cert",
        '"',
        "\\" * 60_000,
        'A="' + '\\"' * 30_000,
        "A=;" * 20_000,
    ],
)
def test_a_forwarded_header_that_is_not_of_its_form(text: str) -> None:
    with pytest.raises(Malformed):
        from_headers(Proxy.ENVOY, {FORWARDED: text})


def test_spoiled_headers_crash_nothing() -> None:
    draw = random.Random("headers")
    samples = [(Proxy.NGINX, golden.NGINX), (Proxy.HAPROXY, golden.HAPROXY), (Proxy.ENVOY, golden.ENVOY)]
    for _ in range(5_000):
        proxy, headers = draw.choice(samples)
        spoiled = dict(headers)
        name = draw.choice(list(spoiled))
        text = list(spoiled[name])
        for _ in range(draw.randint(1, 4)):
            text[draw.randrange(len(text) or 1) : draw.randrange(len(text) + 1)] = draw.choice(
                ['"', "\\", ",", ";", "=", "%", "%00", "é", "\0", ""]
            )
        spoiled[name] = "".join(text)
        with suppress(DomainError):
            assert from_headers(proxy, spoiled)
