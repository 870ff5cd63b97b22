//! The registers of a sketch with many clients.
//!
//! Here: the maximum, and the two sums an image states. Not here: the bytes around them (`image.rs`).

use crate::coupon::{Coupon, LG_K};

/// Number of registers.
pub(crate) const REGISTERS: usize = 1 << LG_K;

/// The largest value a register holds.
pub(crate) const VALUE_MAX: u8 = 63;

/// For each register the largest value of the coupons that fell into it; 0 if none did.
pub(crate) type Registers = [u8; REGISTERS];

/// Raises the coupon's register to its value.
pub(crate) fn raise(registers: &mut Registers, coupon: Coupon) {
    let register = &mut registers[coupon.register()];
    *register = coupon.value().max(*register);
}

/// The union: register by register the larger value. Compiles to byte-wise vector maxima.
pub(crate) fn raise_all(registers: &mut Registers, others: &Registers) {
    for (register, &other) in registers.iter_mut().zip(others) {
        *register = other.max(*register);
    }
}

/// What an image states beside the registers, all of it computed from them.
pub(crate) struct Totals {
    /// The sum of 2^−value over the registers below 32.
    pub(crate) kxq0: f64,
    /// The same over those from 32 on.
    pub(crate) kxq1: f64,
    /// Registers that are 0.
    pub(crate) zeros: u32,
}

/// Exact, so independent of order: every partial sum is a multiple of its smallest term and has at most 44 bits.
pub(crate) fn totals(registers: &Registers) -> Totals {
    let mut counts = [0u32; VALUE_MAX as usize + 1];
    for &value in registers {
        counts[usize::from(value.min(VALUE_MAX))] += 1;
    }
    let mut totals = Totals {
        kxq0: 0.0,
        kxq1: 0.0,
        zeros: counts[0],
    };
    let mut weight = 1.0;
    for (value, &count) in counts.iter().enumerate() {
        let sum = if value < 32 {
            &mut totals.kxq0
        } else {
            &mut totals.kxq1
        };
        *sum += f64::from(count) * weight;
        weight /= 2.0;
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_split_at_thirty_two() {
        let mut registers = [0; REGISTERS];
        registers[..3].copy_from_slice(&[1, 33, 63]);
        let Totals { kxq0, kxq1, zeros } = totals(&registers);
        assert_eq!(zeros, 4093);
        assert!(kxq0 == 4093.5 && kxq1 == 0.5f64.powi(33) + 0.5f64.powi(63));
    }
}
