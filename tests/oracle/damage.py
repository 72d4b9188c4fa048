"""Damage to stored files. They are read-only, so whoever alters one makes it writable first."""


def write_over(path, content):
    """Give a file other bytes; it stays the same file, as for those who have it open."""
    path.chmod(0o644)
    path.write_bytes(content)


def flip(path, at, bit=0):
    """Turn one bit of one byte, where it stands."""
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ (1 << bit)]))


def flip_middle(path):
    """Turn one bit in the middle of a file."""
    flip(path, path.stat().st_size // 2)
