"""The English words of spoken text: months, abbreviations, symbols, names of things. Data only.

What needs respelling was found by ear and by the phonemes of espeak-ng, which Piper's English voices read from.
"""

from __future__ import annotations

from assistant.text.unit_words import Noun

DURATION_PARTS = {
    "w": Noun("week", "weeks"),
    "d": Noun("day", "days"),
    "h": Noun("hour", "hours"),
    "hr": Noun("hour", "hours"),
    "m": Noun("minute", "minutes"),
    "min": Noun("minute", "minutes"),
    "s": Noun("second", "seconds"),
}
ISO_DATE_PARTS = {
    "Y": Noun("year", "years"),
    "M": Noun("month", "months"),
    "W": Noun("week", "weeks"),
    "D": Noun("day", "days"),
}
ISO_TIME_PARTS = {"H": Noun("hour", "hours"), "M": Noun("minute", "minutes"), "S": Noun("second", "seconds")}
DURATION_LEADS = (
    "took", "takes", "taken", "for", "in", "after", "within", "uptime", "duration", "elapsed", "lasted",
    "remaining", "runtime", "length", "eta", "every", "runs", "ran",
)  # fmt: skip
"""Words before 01:20:30 that make it a length of time and not a time of day."""

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
ORDINAL_ENDS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}

ABBREVIATIONS = {
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "and so on",
    "approx.": "approximately",
    "ca.": "about",
    "vs.": "versus",
    "vs": "versus",
    "incl.": "including",
    "excl.": "excluding",
    "resp.": "respectively",
    "max.": "maximum",
    "min.": "minimum",
    "avg.": "average",
    "w/": "with",
    "w/o": "without",
    "n/a": "not available",
    "N/A": "not available",
    "No.": "number",
    "no.": "number",
    "temp.": "temperature",
    "a.m.": "AM",
    "p.m.": "PM",
}
BEFORE_A_NUMBER = frozenset({"No.", "no.", "max.", "min.", "temp.", "ca."})
"""Abbreviations that are words of their own unless a number follows: "No. It is down." """

ACRONYMS = {
    "NAS": "nas",
    "UPS": "U P S",
    "LED": "L E D",
    "LEDs": "L E D's",
    "CI": "C I",
    "CO2": "C O 2",
    "CO₂": "C O 2",
    "ECC": "E C C",
    "CLI": "C L I",
    "IPMI": "I P M I",
    "UID": "U I D",
    "PID": "P I D",
    "PIDs": "P I D's",
    "OOM": "O O M",
    "WoL": "wake on LAN",
    "WOL": "wake on LAN",
    "ASR": "A S R",
    "OIDC": "O I D C",
    "ACPI": "A C P I",
    "IPv4": "IP version 4",
    "IPv6": "IP version 6",
    "PoE": "P O E",
    "MAC": "Mac",
    "HEVC": "H E V C",
    "AV1": "A V 1",
    "HA": "H A",
    "A/C": "A C",
    "I/O": "I O",
    "TCP/IP": "TCP IP",
    "CI/CD": "C I C D",
    "24/7": "24 7",
    "50/50": "50 50",
    "and/or": "and or",
}
"""What espeak-ng reads as another word ("ups", "sigh"); the others (VM, CPU, SSD, ZFS, RAID, …) it reads well."""

SYMBOLS = {
    "&": "and",
    "+": "plus",
    "=": "equals",
    "≈": "about",
    "≠": "is not",
    "≥": "at least",
    "≤": "at most",
    "±": "plus or minus",
    "×": "times",
    "÷": "divided by",
    "→": "to",
    "⇒": "to",
    "➜": "to",
    "←": "from",
    "↔": "and",
    "@": "at",
    "/": "slash",
    "%": "percent",
    "‰": "per mille",
    "°": "degrees",
    "€": "euros",
    "$": "dollars",
    "£": "pounds",
    "¥": "yen",
    "§": "section",
}
"""Said where they stand between words; nothing is said of one that stands alone."""

COMPARISONS = {"<": "less than", ">": "more than", "<=": "at most", ">=": "at least", "==": "equals", "!=": "is not",
               "≤": "at most", "≥": "at least", "~": "about", "≈": "about", "~=": "about"}  # fmt: skip
"""Said before a number."""

MARKS = {"✅": "yes", "✔": "yes", "✓": "yes", "☑": "yes", "❌": "no", "✗": "no", "✘": "no", "✖": "no", "🟢": "green",
         "🟡": "yellow", "🔴": "red", "⚠": "warning"}  # fmt: skip
"""What a picture says that fills a table's cell; elsewhere pictures are not said."""

TOP_LEVELS = (
    "lan", "local", "home", "internal", "localdomain", "arpa", "example", "test", "com", "org", "net", "edu", "gov",
    "info", "io", "dev", "app", "cloud", "xyz", "me", "eu", "de", "at", "ch", "uk", "us", "fr", "nl", "se", "box",
    "ai", "co", "tv", "onion",
)  # fmt: skip
FILE_ENDS = (
    "yaml", "yml", "json", "jsonl", "toml", "conf", "cfg", "ini", "env", "log", "txt", "md", "py", "sh", "js", "ts",
    "html", "css", "xml", "csv", "sql", "db", "sqlite", "sqlite3", "tar", "gz", "zst", "xz", "bz2", "zip", "7z",
    "tgz", "iso", "img", "qcow2", "vmdk", "mkv", "mp4", "mp3", "flac", "wav", "jpg", "jpeg", "png", "gif", "svg",
    "pdf", "docx", "xlsx", "service", "timer", "socket", "mount", "target", "key", "pem", "crt", "bak", "sock",
    "lock", "pid", "gguf", "onnx", "go", "rs", "c", "h", "cpp", "java", "exe", "deb", "rpm",
)  # fmt: skip

NOT_HOSTS = frozenset({
    "status", "code", "error", "exit", "line", "total", "count", "port", "pid", "id", "year", "at", "page", "size",
    "result", "step", "http", "https", "tcp", "udp", "ratio", "version",
})  # fmt: skip
"""Words before ":8096" that name no host."""

HAVE_IDS = ("snapshot", "commit", "container", "image", "archive", "revision", "id", "job", "backup")
"""Nouns after which the first characters of a long identifier are said; without them it is AN_ID."""

AN_ID = "an ID"
MAC_ADDRESS = "a Mac address"
IPV6_ADDRESS = "an IP version 6 address"
IPV6_NETWORK = "an IP version 6 network"
SOME_CODE = "some code"
VERSION = "version"
PORT = "port"
LINE = "line"
POINT = "point"
DOT = "dot"
AT = "at"
SLASH = "slash"
DASH = "dash"
MINUS = "minus"
PLUS = "plus"
TO = "to"
BETWEEN = "between"
BY = "by"
OF = "of"
INCH = "inch"
AND = "and"
PER_WORD = "per"
NUMBER = "number"
MIDNIGHT = "midnight"
O_CLOCK = "o'clock"
HUNDRED = "hundred"
OR_MORE = "or more"
PLUS_PLUS = "plus plus"
SHARP = "sharp"
ORDINAL_END = "th"
DATE = "{month} {day}, {year}"
PAST_MIDNIGHT = "past midnight"
YES = "yes"
NO = "no"
NOTHING = "nothing"
DONE = "done"
OPEN = "open"
ENTRIES = Noun("one entry", "{count} entries")
MORE = Noun("one more", "{count} more")
MORE_ROWS = Noun("and one more row", "and {count} more rows")
MINUTE = Noun("minute", "minutes")
SECOND = Noun("second", "seconds")
HOUR = Noun("hour", "hours")
