"""Checks as functions, their results as TAP for meson."""
import sys


def run(checks):
    """Each check is a function that returns what is wrong, line by line; or None where it can't be made."""
    print(f"1..{len(checks)}")
    failed = 0
    for number, check in enumerate(checks, 1):
        name = check.__name__.replace("_", " ")
        wrong = check()
        if wrong is None:
            print(f"ok {number} - {name} # SKIP {check.__doc__ or ''}".rstrip())
        elif wrong:
            failed += 1
            print(f"not ok {number} - {name}")
            print(f"{name}:\n  " + "\n  ".join(wrong), file=sys.stderr)
        else:
            print(f"ok {number} - {name}")
    return 1 if failed else 0
