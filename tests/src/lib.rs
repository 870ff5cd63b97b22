//! The house seen from the street: real processes, whole-pipeline promises, and the rules of the floors.
