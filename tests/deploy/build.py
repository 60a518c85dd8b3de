"""What is known of the build that is tested."""
from agentd import BUILD


def is_sanitized():
    """Linked with more than its own libraries, and doing at its start and end what a confined service may not."""
    cache = BUILD / "CMakeCache.txt"
    return cache.exists() and any(line.startswith("AGENTD_SANITIZE:") and line.split("=", 1)[1] for line in cache.read_text().splitlines())
