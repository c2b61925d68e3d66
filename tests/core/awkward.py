"""Texts that formats between Python and the database like to trip over."""

AWKWARD = [
    "",
    "\\N",
    "\\.",
    "a\tb",
    "a\nb",
    "a\r\nb",
    "back\\slash",
    "\"quoted\", 'twice'",
    "{curly} %s %(name)s",
    "Zürich – 東京 🎓",
]
