"""The commands to copy with which an operator proves that they hold a CA's private key."""

CA_FILE, KEY_FILE = "ca.pem", "ca.key"
PROOF_FILE = "proof.pem"


def proof_lines(code: str) -> tuple[str, ...]:
    """Make the verification certificate PROOF_FILE out of CA_FILE and KEY_FILE, in a POSIX shell with OpenSSL 1.1.1 or later.

    `code`: the proof code, which becomes the CN. The key in the middle is thrown away afterwards: it signs nothing.
    """
    return (
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out proof.key",
        f'openssl req -new -key proof.key -subj "/CN={code}" -out proof.csr',
        f"openssl x509 -req -in proof.csr -CA {CA_FILE} -CAkey {KEY_FILE} -CAcreateserial -days 7 -out {PROOF_FILE}",
    )
