//! Which instructions a kernel runs on.

/// The instructions that a kernel runs on. Every path gives the same bits; one can only be had where the processor has
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimdPath(Instructions);

/// What a [`SimdPath`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instructions {
    /// What every processor of the target has.
    Portable,
    /// 32 rows a register.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 64 rows a register.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl SimdPath {
    /// What every processor has.
    pub const PORTABLE: Self = Self(Instructions::Portable);

    /// The paths of this processor, the fastest last.
    pub fn available() -> Vec<Self> {
        let mut paths = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                paths.push(Self(Instructions::Avx2));
            }
            if std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512bw") {
                paths.push(Self(Instructions::Avx512));
            }
        }
        paths
    }

    /// The fastest path of this processor.
    pub fn fastest() -> Self {
        Self::available().pop().unwrap_or(Self::PORTABLE)
    }

    /// `portable`, `avx2` or `avx512`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "avx512",
        }
    }

    pub(crate) const fn instructions(self) -> Instructions {
        self.0
    }
}
