"""X.509 certificates as plain values: read strictly, compared by fingerprint, their certification paths verified (RFC 5280).

reading: bytes → Certificate · chains: which CA certificate a presented one leads to · requests: a device's CSR · errors: why not ·
fingerprints: as people type them.
"""
