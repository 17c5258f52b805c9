"""Strict execution: a method in a process of its own, given nothing but a sealed recording file.

`seal` writes and reads the file, `jail` locks a process down, `child` runs a Python method inside it, `host` and
`process` talk to it from the lab's side, `ship` packs a Python method, `places` knows where code lies, `external` names
a program in another language. The protocol is described in docs/protocol.md.
"""
