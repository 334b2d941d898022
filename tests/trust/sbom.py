"""A bill of materials of code, models and voices: CycloneDX 1.6, JSON.

``make sbom`` writes ``build/jarvis.cdx.json`` and has it validated against the schema, by CycloneDX's own library in an
environment of its own. The same lock and manifest give the same bytes: no time stands in it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.trust.components import ROOT, Package, models, packages

FILE = ROOT / "build" / "jarvis.cdx.json"

_VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1], encoding="utf-8").read())
sys.exit(f"It is no valid CycloneDX 1.6: {wrong}" if wrong else 0)
"""


def bill() -> dict[str, Any]:
    """The whole of it. Raises LookupError: a package's licence is not known."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    name, version = project["name"], project["version"]
    own = f"pkg:pypi/{name}@{version}"
    components = [*_packages(), *_models()]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": name,
                "version": version,
                "licenses": _licence(project["license"]),
                "purl": own,
            }
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [component["bom-ref"] for component in components]}],
    }


def _packages() -> Iterator[dict[str, Any]]:
    for package in packages():
        purl = f"pkg:pypi/{package.name}@{package.version}"
        yield {
            "type": "library",
            "bom-ref": purl,
            "name": package.name,
            "version": package.version,
            "licenses": _licence(package.licence),
            "purl": purl,
            **_only(package),
        }


def _only(package: Package) -> dict[str, Any]:
    return {"properties": [{"name": "jarvis:only-where", "value": package.only}]} if package.only else {}


def _models() -> Iterator[dict[str, Any]]:
    for model in models():
        ref = f"model:{model.name}"
        yield {
            "type": "machine-learning-model",
            "bom-ref": ref,
            "name": model.name,
            "description": f"{model.description}: {model.origin}",
            "licenses": _licence(model.licence),
            "components": [
                {
                    "type": "file",
                    "bom-ref": f"{ref}/{file.name}",
                    "name": file.name,
                    "hashes": [{"alg": "SHA-256", "content": file.sha256}],
                }
                for file in model.files
            ],
        }


def _licence(expression: str) -> list[dict[str, str]]:
    return [{"expression": expression}]


def validated(file: Path) -> None:
    """Raises subprocess.CalledProcessError: it is not as the schema says, or the library could not be installed."""
    tool = subprocess.run([ROOT / "deploy" / "tool.sh", "cyclonedx"], check=True, stdout=subprocess.PIPE, text=True)
    subprocess.run([tool.stdout.strip(), "-c", _VALIDATE, file], check=True)


def main() -> int:
    """Write and validate it."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(bill(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    validated(FILE)
    sys.stdout.write(f"{FILE.relative_to(ROOT)}: {len(bill()['components'])} components, valid CycloneDX 1.6\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
