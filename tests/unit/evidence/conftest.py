from tests.fixtures_pki import federation, mixed_federation

__all__ = ["federation", "mixed_federation"]
