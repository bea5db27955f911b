"""What an operator pastes into a broker's configuration so that it asks us: the lines of each kind, with this broker's URLs.

What each line is for, and what was tried with a real broker, is in docs/brokers.md.
"""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from products.models import BrokerKind
from registration.admin import gateway_lines
from registration.admin.line_parts import PLACEHOLDER, Hook, Lines

__all__ = ["PLACEHOLDER", "Lines", "lines_of"]


def lines_of(kind: str, base: str, secret: str = "", vhost: str = "/") -> list[Lines]:
    """In the order in which they are pasted; none for the embedded broker, which asks nobody."""
    write = _WRITERS.get(kind)
    return write(Hook(base, kind, secret or PLACEHOLDER), vhost) if write else []


def _rabbitmq(hook: Hook, vhost: str) -> list[Lines]:
    calls = "\n".join(f"auth_http.{call}_path = {hook.url(call)}" for call in ("user", "vhost", "resource", "topic"))
    conf = f"""auth_backends.1 = internal
auth_backends.2 = http
auth_http.http_method = post
auth_http.request_timeout = 5000
{calls}
mqtt.allow_anonymous = false
mqtt.vhost = {vhost}
mqtt.exchange = amq.topic
"""
    return [
        Lines(
            "rabbitmq-plugins",
            "rabbitmq-plugins enable rabbitmq_mqtt rabbitmq_auth_backend_http rabbitmq_management rabbitmq_event_exchange\n",
        ),
        Lines("rabbitmq.conf", conf, _("The management user is asked for inside RabbitMQ first, so its password never leaves it.")),
        Lines(
            "advanced.config",
            "[{rabbitmq_mqtt, [{ignore_colons_in_username, true}]}].\n",
            _("Without it, RabbitMQ takes what stands before a colon in a DeviceName for a virtual host."),
        ),
    ]


EMQX_EVENTS: Final = (
    "SELECT event, clientid, username, peername, reason, connected_at, disconnected_at "
    r"FROM \"$events/client_connected\", \"$events/client_disconnected\""
)


EMQX_CERTIFICATES: Final = """listeners.ssl.default {
  bind = "0.0.0.0:8883"
  ssl_options {
    certfile = "etc/certs/server.pem"
    keyfile = "etc/certs/server.key"
    cacertfile = "etc/certs/device-cas.pem"
    verify = verify_peer
    fail_if_no_peer_cert = false
    depth = 6
  }
}
"""


def _emqx(hook: Hook, vhost: str) -> list[Lines]:
    return [
        Lines(
            "emqx.conf",
            _emqx_connections(hook),
            _("It must be the only authenticator, and acl.conf must not be a source: its last line allows everything."),
        ),
        Lines(
            "emqx.conf",
            EMQX_CERTIFICATES,
            _(
                "Only for devices with certificates: a TLS listener that asks for one and lets those with passwords in as well. "
                "device-cas.pem has the CA certificates, the intermediate ones too."
            ),
        ),
        Lines("emqx.conf", _emqx_events(hook), _("Who came and who left.")),
        Lines(
            "emqx.conf",
            _emqx_topics(hook),
            _("Only before EMQX 5.8, in place of the empty sources: it does not read the rules in the other answer."),
        ),
    ]


def _emqx_headers(hook: Hook) -> str:
    return f"""headers {{
      content-type = "application/json"
      authorization = "Bearer {hook.secret}"
    }}"""


def _emqx_tls(hook: Hook) -> str:
    """EMQX refuses a configuration with an https URL that does not say this."""
    return "ssl { enable = true, verify = verify_peer }" if hook.base.startswith("https:") else "ssl { enable = false }"


def _emqx_connections(hook: Hook) -> str:
    return f"""authentication = [
  {{
    mechanism = password_based
    backend = http
    method = post
    url = "{hook.base}/hooks/emqx/authenticate"
    {_emqx_tls(hook)}
    {_emqx_headers(hook)}
    body {{
      clientid = "${{clientid}}"
      username = "${{username}}"
      password = "${{password}}"
      peerhost = "${{peerhost}}"
      cert_pem = "${{cert_pem}}"
    }}
    request_timeout = 5s
  }}
]
authorization {{
  no_match = deny
  deny_action = ignore
  sources = []
}}
"""


def _emqx_events(hook: Hook) -> str:
    return f"""connectors.http.nameplate {{
  url = "{hook.base}"
  {_emqx_tls(hook)}
}}
actions.http.nameplate {{
  connector = nameplate
  parameters {{
    method = post
    path = "/hooks/emqx/event"
    {_emqx_headers(hook)}
    body = "${{.}}"
  }}
}}
rule_engine.rules.nameplate {{
  sql = "{EMQX_EVENTS}"
  actions = ["http:nameplate"]
}}
"""


def _emqx_topics(hook: Hook) -> str:
    return f"""authorization.sources = [
  {{
    type = http
    method = post
    url = "{hook.base}/hooks/emqx/authorize"
    {_emqx_tls(hook)}
    {_emqx_headers(hook)}
    body {{
      clientid = "${{clientid}}"
      username = "${{username}}"
      topic = "${{topic}}"
      action = "${{action}}"
    }}
  }}
]
"""


VERNEMQ_HOOKS: Final = (
    "auth_on_register", "auth_on_register_m5", "auth_on_publish", "auth_on_publish_m5", "auth_on_subscribe", "auth_on_subscribe_m5",
    "on_register", "on_register_m5", "on_client_offline", "on_client_gone",
)  # fmt: skip


def _vernemq(hook: Hook, vhost: str) -> list[Lines]:
    conf = [
        "allow_anonymous = off",
        "plugins.vmq_passwd = off",
        "plugins.vmq_acl = off",
        "plugins.vmq_webhooks = on",
        "max_client_id_size = 512",
    ]
    for number, name in enumerate(VERNEMQ_HOOKS, 1):
        conf += [f"vmq_webhooks.nameplate{number}.hook = {name}", f"vmq_webhooks.nameplate{number}.endpoint = {hook.url()}"]
        if "publish" in name:
            conf.append(f"vmq_webhooks.nameplate{number}.no_payload = on")
    about = _("Devices of Alibaba have ClientIDs of more than the 100 characters that VerneMQ takes by itself.")
    certificates = _(
        "Only for devices with certificates, and only in versions that know forward_connection_opts: a TLS listener that asks for one. "
        "device-cas.pem has the CA certificates, the intermediate ones too. Their devices need a user name."
    )
    return [Lines("vernemq.conf", "\n".join([*conf, ""]), about), Lines("vernemq.conf", VERNEMQ_CERTIFICATES, certificates)]


VERNEMQ_CERTIFICATES: Final = """listener.ssl.devices = 0.0.0.0:8883
listener.ssl.devices.certfile = /etc/vernemq/server.pem
listener.ssl.devices.keyfile = /etc/vernemq/server.key
listener.ssl.devices.cafile = /etc/vernemq/device-cas.pem
listener.ssl.devices.depth = 6
listener.ssl.devices.require_certificate = on
listener.ssl.devices.use_identity_as_username = off
listener.ssl.devices.forward_connection_opts = on
"""


def _mosquitto(hook: Hook, vhost: str) -> list[Lines]:
    parts = urlsplit(hook.base)
    tls = "true" if parts.scheme == "https" else "false"
    conf = f"""allow_anonymous false
auth_plugin /etc/mosquitto/conf.d/go-auth.so
auth_opt_backends http
auth_opt_disable_superuser true
auth_opt_cache false
auth_opt_http_host {parts.hostname}
auth_opt_http_port {parts.port or (443 if tls == "true" else 80)}
auth_opt_http_with_tls {tls}
auth_opt_http_verify_peer {tls}
auth_opt_http_getuser_uri {hook.path("user")}
auth_opt_http_superuser_uri {hook.path("superuser")}
auth_opt_http_aclcheck_uri {hook.path("acl")}
auth_opt_http_method POST
auth_opt_http_params_mode json
auth_opt_http_response_mode status
auth_opt_http_timeout 5
"""
    return [Lines("mosquitto.conf", conf, _("With the plugin's cache, a device that was forbidden stays until the cache forgets it."))]


def _nanomq(hook: Hook, vhost: str) -> list[Lines]:
    json = 'headers.content-type = "application/json"'
    conf = f"""auth {{
  allow_anonymous = false
  no_match = deny
  http_auth = {{
    auth_req {{
      url = "{hook.url("authenticate")}"
      method = post
      {json}
      params = {{clientid = "%c", username = "%u", password = "%P", ipaddress = "%a"}}
    }}
    acl_req {{
      url = "{hook.url("acl")}"
      method = post
      {json}
      params = {{clientid = "%c", username = "%u", access = "%A", topic = "%t", ipaddress = "%a"}}
    }}
    timeout = 5s
    connect_timeout = 5s
  }}
}}
webhook = {{
  url = "{hook.url("event")}"
  headers.content-type = "application/json"
  events = [{{event = "on_client_connack"}}, {{event = "on_client_disconnected"}}]
}}
"""
    about = _("Its documents say that acl_req has no effect in some versions: then every device reaches every topic there.")
    return [Lines("nanomq.conf", conf, about)]


_WRITERS: Final[Mapping[str, Callable[[Hook, str], list[Lines]]]] = {
    BrokerKind.RABBITMQ: _rabbitmq,
    BrokerKind.EMQX: _emqx,
    BrokerKind.VERNEMQ: _vernemq,
    BrokerKind.MOSQUITTO: _mosquitto,
    BrokerKind.NANOMQ: _nanomq,
    BrokerKind.NGINX: gateway_lines.nginx,
    BrokerKind.HAPROXY: gateway_lines.haproxy,
    BrokerKind.ENVOY: gateway_lines.envoy,
}
