"""Registries in, tables out: vk.xml, the SPIR-V grammar and CPU facts become `targetenv/registry/_generated`.

`render.render` is a pure function from inputs to `{path: text}`; `python -m targetenv._codegen` writes what it returns, and
`--check` compares instead. Nothing here is in the wheel, so the usual libraries are welcome.
"""
