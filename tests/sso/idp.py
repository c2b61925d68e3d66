"""A real SAML identity provider in a process of its own, which also lies when it is told to.

`python -m tests.sso.idp PORT` serves it; `POST /behave` says whom it signs in, and how it errs.
"""

from __future__ import annotations

import copy
import datetime
import sys
from dataclasses import dataclass, field, fields
from types import SimpleNamespace
from typing import Any

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from flask import Flask, request
from flask_saml2.idp import IdentityProvider, SPHandler
from flask_saml2.idp.xml_templates import ResponseTemplate
from flask_saml2.signing import RsaSha256Signer, Sha256Digester
from flask_saml2.utils import certificate_from_string, private_key_from_string
from lxml import etree

ELSEWHERE = "https://elsewhere.example/"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
NAMES = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
}


@dataclass
class Behaviour:
    """Whom the provider signs in, and one fault."""

    subject: str = "subject-1"
    email: str = "ada@corp.example"
    name: str = "Ada Lovelace"
    fault: str = ""
    encrypts_for: str = ""
    name_id_format: str = PERSISTENT
    attributes: dict[str, str] = field(default_factory=dict)


def key_pair() -> tuple[str, str]:
    """Return a private key and a certificate of it, both PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test IdP")])
    now = datetime.datetime.now(tz=datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


behaviour = Behaviour()
own_key, own_certificate = key_pair()
foreign_key, _foreign_certificate = key_pair()


class Provider(IdentityProvider):
    idp_digester_class = Sha256Digester

    def login_required(self) -> None:
        pass

    def is_user_logged_in(self) -> bool:
        return True

    def get_current_user(self) -> Any:
        return SimpleNamespace(email=behaviour.email)

    def get_sp_handlers(self) -> Any:
        yield Handler(self, entity_id="any", acs_url="any")

    def get_idp_signer(self) -> Any:
        key = foreign_key if behaviour.fault == "other-key" else own_key
        return RsaSha256Signer(private_key_from_string(key))


class Answer(ResponseTemplate):
    """A response that may carry its assertion encrypted, or another status."""

    def generate_xml(self) -> Any:
        document = super().generate_xml()
        if behaviour.fault == "refused":
            status = document.find("samlp:Status/samlp:StatusCode", NAMES)
            status.set("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
            document.remove(document.find("saml:Assertion", NAMES))
        if behaviour.encrypts_for:
            encrypt(document)
        return document


def encrypt(document: Any) -> None:
    """Replace the assertion by its encryption for the service provider's certificate."""
    assertion = document.find("saml:Assertion", NAMES)
    content = etree.tostring(assertion, method="c14n", exclusive=True)
    shell = etree.Element(f"{{{NAMES['saml']}}}EncryptedAssertion", nsmap={"saml": NAMES["saml"]})
    document.replace(assertion, shell)
    manager = xmlsec.KeysManager()
    manager.add_key(
        xmlsec.Key.from_memory(behaviour.encrypts_for.encode(), xmlsec.KeyFormat.CERT_PEM)
    )
    data = xmlsec.template.encrypted_data_create(
        shell, xmlsec.Transform.AES256, type=xmlsec.EncryptionType.ELEMENT, ns="xenc"
    )
    xmlsec.template.encrypted_data_ensure_cipher_value(data)
    info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
    wrapped = xmlsec.template.add_encrypted_key(info, xmlsec.Transform.RSA_OAEP)
    xmlsec.template.encrypted_data_ensure_cipher_value(wrapped)
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(xmlsec.KeyData.AES, 256, xmlsec.KeyDataType.SESSION)
    context.encrypt_binary(data, content)
    shell.append(data)


class Handler(SPHandler):
    """Answers any service provider; the fault of the moment is in the parameters or signatures."""

    response_template = Answer
    certificate = None

    def validate_request(self, request: Any) -> None:
        pass

    def format_datetime(self, value: datetime.datetime) -> str:
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")

    def get_subject(self) -> str:
        return behaviour.subject

    def build_assertion(self, request: Any, issue_instant: datetime.datetime) -> dict[str, Any]:
        attributes = {"mail": behaviour.email, "displayName": behaviour.name}
        built = {
            **super().build_assertion(request, issue_instant),
            "SUBJECT_FORMAT": behaviour.name_id_format,
            "ATTRIBUTES": {**attributes, **behaviour.attributes},
        }
        hour = datetime.timedelta(hours=1)
        return built | {
            "expired": {"NOT_ON_OR_AFTER": self.format_datetime(issue_instant - hour)},
            "early": {"NOT_BEFORE": self.format_datetime(issue_instant + hour)},
            "other-audience": {"AUDIENCE": ELSEWHERE},
            "other-recipient": {"ACS_URL": f"{ELSEWHERE}?x={built['ACS_URL']}"},
            "other-issuer": {"ISSUER": ELSEWHERE},
            "other-request": {"IN_RESPONSE_TO": "ONELOGIN_another"},
        }.get(behaviour.fault, {})

    def build_response(self, request: Any, issue_instant: datetime.datetime) -> dict[str, Any]:
        built = super().build_response(request, issue_instant)
        return built | {
            "other-destination": {"ACS_URL": ELSEWHERE},
            "longer-destination": {"ACS_URL": f"{built['ACS_URL']}more"},
            "idp-initiated": {"IN_RESPONSE_TO": None},
        }.get(behaviour.fault, {})

    def format_assertion(self, assertion_params: dict[str, Any]) -> Any:
        if behaviour.fault in ("unsigned", "unsigned-assertion"):
            return self.assertion_template(assertion_params)
        return super().format_assertion(assertion_params)

    def format_response(self, response_params: dict[str, Any], assertion: Any) -> Any:
        if behaviour.fault in ("unsigned", "unsigned-message"):
            return self.response_template(response_params, assertion)
        return super().format_response(response_params, assertion)

    def encode_response(self, response: Any) -> str:
        if behaviour.fault == "tampered":
            response.xml.find(".//saml:NameID", NAMES).text = "somebody-else"
        if behaviour.fault == "wrapped":
            wrap(response.xml)
        return str(super().encode_response(response))


def wrap(document: Any) -> None:
    """Put a forged assertion beside the signed one (XML signature wrapping)."""
    signed = document.find("saml:Assertion", NAMES)
    forged = copy.deepcopy(signed)
    forged.set("ID", "forged")
    forged.find(".//saml:NameID", NAMES).text = "somebody-else"
    document.insert(document.index(signed), forged)


def serve(port: int) -> None:
    app = Flask(__name__)
    app.secret_key = "a test's"
    app.config["SERVER_NAME"] = f"127.0.0.1:{port}"
    app.config["SAML2_IDP"] = {
        "autosubmit": False,
        "certificate": certificate_from_string(own_certificate),
        "private_key": private_key_from_string(own_key),
    }
    app.register_blueprint(Provider().create_blueprint(), url_prefix="/saml")

    @app.post("/behave")
    def behave() -> str:
        told = {**vars(Behaviour()), **(request.get_json() or {})}
        for one in fields(Behaviour):
            setattr(behaviour, one.name, told[one.name])
        return "ok"

    app.run(port=port, threaded=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
