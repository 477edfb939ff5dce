"""A strict reading of PowerShell for version 5.1: it parses, and says nothing that 5.1, or this house, does not know.

tree-sitter finds what does not balance; it lets pass operators of version 7, unknown cmdlets and parameters, and a try
without catch, so that these are looked at here.
"""

import re
from collections.abc import Iterator
from typing import Any

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

PARSER = Parser(Language(tree_sitter_powershell.language()))

# Of Windows PowerShell 5.1: https://learn.microsoft.com/powershell/module/?view=powershell-5.1; of AWS Tools the last
# one: https://docs.aws.amazon.com/powershell/latest/reference/items/Write-SSMComplianceItem.html.
KNOWN: dict[str, frozenset[str]] = {
    name: frozenset(parameters.split())
    for name, parameters in {
        "Confirm-SecureBootUEFI": "",
        "ConvertFrom-Json": "InputObject",
        "ConvertTo-Json": "InputObject Depth",
        "ForEach-Object": "Process",
        "Get-CimInstance": "ClassName Namespace",
        "Get-Command": "Name",
        "Get-Content": "LiteralPath Raw",
        "Get-Item": "LiteralPath",
        "Get-WinEvent": "FilterHashtable MaxEvents",
        "Join-Path": "Path ChildPath",
        "Move-Item": "LiteralPath Destination Force",
        "New-Item": "Path ItemType Force",
        "New-ItemProperty": "LiteralPath Name Value PropertyType Force",
        "New-Object": "TypeName",
        "Set-Content": "LiteralPath Value Encoding",
        "Set-StrictMode": "Version",
        "Test-Path": "LiteralPath",
        "Where-Object": "FilterScript",
        "Write-Output": "",
        "Write-Warning": "",
        "Write-SSMComplianceItem": "ResourceId ResourceType ComplianceType ExecutionSummary_ExecutionTime "
        "ExecutionSummary_ExecutionType Item UploadType Region Force",
        "bcdedit.exe": "",
    }.items()
}
OF_VERSION_7 = re.compile(rb"&&|\|\||\?\?|\?\.|(?<![\w$])-Parallel\b|\bclean\s*\{", re.IGNORECASE)
AUTOMATIC = {
    "args",
    "error",
    "event",
    "foreach",
    "home",
    "host",
    "input",
    "matches",
    "pid",
    "profile",
    "switch",
    "this",
}
REAPPLIED = re.compile(r"\{\{\s*[\w:./-]+\s*\}\}")
"""What Systems Manager takes for a parameter, wherever it stands."""


def problems(text: str) -> Iterator[str]:
    """Everything that 5.1 would refuse, or would do otherwise than it reads."""
    source = text.encode()
    if not text.isascii():
        yield "has characters beyond ASCII, which 5.1 reads by the code page of the host"
    tree = PARSER.parse(source)
    if tree.root_node.has_error:
        yield f"does not parse near {_first_error(tree.root_node)!r}"
    code = _without_text(tree.root_node, source)
    for found in OF_VERSION_7.finditer(code):
        yield f"{found.group().decode()} is of version 7"
    functions = _functions(tree.root_node)
    for node in _all(tree.root_node):
        if node.type == "command":
            yield from _command(node, functions, tree.root_node)
        elif node.type == "try_statement" and not any(
            child.type in ("catch_clauses", "finally_clause") for child in node.children
        ):
            yield "try has neither catch nor finally"
        elif node.type == "assignment_expression":
            name = _text(node.children[0]).lstrip("$").lower()
            if name in AUTOMATIC:
                yield f"${name} belongs to PowerShell"


def undeclared(text: str, declared: frozenset[str] = frozenset()) -> list[str]:
    """Parameters of a document that it uses and does not declare."""
    return [one for one in REAPPLIED.findall(text) if one.strip("{ }") not in declared]


def _command(node: Node, functions: dict[str, frozenset[str]], root: Node) -> Iterator[str]:
    named = next((child for child in node.children if child.type in ("command_name", "command_name_expr")), None)
    if named is None:
        return
    name = _text(named)
    known = functions.get(name.lower(), KNOWN.get(name))
    if known is None:
        yield f"{name} is not a known cmdlet or function"
        return
    for child in _all(node):
        if child.type == "command_parameter" and _owner(child) == node:
            parameter = _text(child).lstrip("-").rstrip(":")
            if parameter not in known:
                yield f"{name} has no parameter -{parameter}"
        elif child.type == "variable" and _text(child).startswith("@") and _owner(child) == node:
            for key in _keys(root, _text(child)[1:]):
                if key not in known:
                    yield f"{name} has no parameter -{key}"


def _owner(node: Node) -> Node | None:
    parent = node.parent
    while parent is not None and parent.type != "command":
        parent = parent.parent
    return parent


def _functions(root: Node) -> dict[str, frozenset[str]]:
    found = {}
    for node in _all(root):
        if node.type == "function_statement":
            name = next(_text(child) for child in node.children if child.type == "function_name")
            head = _text(node).split("{", 1)[0]
            found[name.lower()] = frozenset(re.findall(r"\$(\w+)", head))
    return found


def _keys(root: Node, variable: str) -> list[str]:
    """Keys of the hash literal that a splatted variable was given."""
    for node in _all(root):
        if node.type == "assignment_expression" and _text(node.children[0]) == f"${variable}":
            return [_text(entry.children[0]) for entry in _all(node) if entry.type == "hash_entry"]
    return []


def _without_text(root: Node, source: bytes) -> bytes:
    """The source without comments and strings."""
    code = bytearray(source)
    for node in _all(root):
        if node.type in ("comment", "string_literal"):
            code[node.start_byte : node.end_byte] = b" " * (node.end_byte - node.start_byte)
    return bytes(code)


def _first_error(root: Node) -> str:
    return next((_text(node)[:40] for node in _all(root) if node.is_error or node.is_missing), "its end")


def _all(node: Node) -> Iterator[Any]:
    yield node
    for child in node.children:
        yield from _all(child)


def _text(node: Node) -> str:
    return (node.text or b"").decode()
