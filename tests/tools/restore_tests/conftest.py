from tests.tools.restore_tests.fake_kind import house

__all__ = ["house"]
