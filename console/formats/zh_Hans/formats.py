"""Django's Chinese groups digits by four and without a sign between them; consoles and figures of this field have 500,000."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
