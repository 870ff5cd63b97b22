//! What the tests of the whole house share: starting real processes, speaking HTTP to them, ending them.
