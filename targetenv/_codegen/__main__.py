"""`python -m targetenv._codegen [--check]`: write the generated files, or say which of them are stale."""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from targetenv._codegen import cpu_facts, inputs, spirv_grammar
from targetenv._codegen.render import CPU_FACTS, GRAMMAR_FACTS, render

_ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """0 when everything is (now) fresh, 1 when `--check` found a difference, 2 when an input cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m targetenv._codegen", description=__doc__)
    parser.add_argument("--vk-xml", type=Path, metavar="FILE", help="the Vulkan registry (default: the one in vulkan-object)")
    parser.add_argument(
        "--spirv-grammar",
        type=Path,
        metavar="FILE",
        help="a spirv.core.grammar.json (default: the facts committed from the last one)",
    )
    parser.add_argument(
        "--cpu-facts",
        nargs="?",
        const="clang",
        metavar="CLANG",
        help="ask this clang and the installed archspec anew what CPU names mean (default: the facts committed last)",
    )
    parser.add_argument(
        "--check", action="store_true", help="compare with what is committed, write nothing, exit 1 on a difference"
    )
    parser.add_argument(
        "--output", type=Path, default=_ROOT, metavar="DIR", help="the root to write under (default: the repository)"
    )
    options = parser.parse_args(arguments)
    try:
        files = _render(options)
    except (OSError, LookupError, SyntaxError, ValueError) as error:  # SyntaxError: what XML that is none raises
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.check:
        return _check(options.output, files)
    for path, text in files.items():
        target = options.output / path
        if not target.is_file() or target.read_text() != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            print(f"wrote {path}")
    return 0


def _render(options: argparse.Namespace) -> dict[str, str]:
    grammar = spirv_grammar.load((_ROOT / GRAMMAR_FACTS).read_text())
    if options.spirv_grammar is not None:
        grammar = spirv_grammar.read(inputs.from_file(options.spirv_grammar))
    cpus = cpu_facts.load((_ROOT / CPU_FACTS).read_text())
    if options.cpu_facts is not None:
        cpus = cpu_facts.gather(options.cpu_facts)
    return render(inputs.vk_xml(options.vk_xml), grammar, cpus)


def _check(root: Path, files: dict[str, str]) -> int:
    stale = 0
    for path, text in files.items():
        target = root / path
        have = target.read_text() if target.is_file() else ""
        if have == text:
            continue
        stale = 1
        lines = difflib.unified_diff(
            have.splitlines(), text.splitlines(), f"committed/{path}", f"rendered/{path}", "", "", n=0, lineterm=""
        )
        for number, line in enumerate(lines):
            if number == 40:
                print("...", file=sys.stderr)
                break
            print(line[:200], file=sys.stderr)
    print("stale: run `python -m targetenv._codegen`" if stale else f"{len(files)} generated files are fresh", file=sys.stderr)
    return stale


if __name__ == "__main__":
    sys.exit(main())
