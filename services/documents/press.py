"""Sets one document and ends: run as a program of its own, it imports nothing of Siklus.

Reads the template's path, the fonts' folder and the file's date as one line of JSON, then the
sheets, from standard input; writes the PDF to standard output.
"""

import json
import resource
import sys

SECONDS = 20
"""Of processor time, beyond which the system ends it."""


def main() -> int:
    """Set what standard input holds."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    # Imported here: the limit holds for this as well.
    import typst

    told = json.loads(sys.stdin.buffer.readline())
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=True, font_paths=[told["fonts"]]
    )
    with open(told["template"], "rb") as template:
        compiler = typst.Compiler(template.read(), font_paths=fonts, ignore_system_fonts=True)
    made = compiler.compile(
        format="pdf",
        timestamp=told["dated"],
        sys_inputs={"sheets": sys.stdin.buffer.read().decode()},
        pdf_standards=["a-2b"],
    )
    if not isinstance(made, bytes):
        return 1
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
