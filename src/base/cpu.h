/* What the processor can do, as far as the code here has variants for it. */
#ifndef LXM_BASE_CPU_H
#define LXM_BASE_CPU_H

typedef enum lxm_cpu {
    LXM_CPU_SCALAR = 0,
    LXM_CPU_AVX2 = 1,   /* with BMI1, BMI2, POPCNT */
    LXM_CPU_AVX512 = 2, /* F, BW, CD, DQ, VL, VBMI, VBMI2, and all of LXM_CPU_AVX2 */
    LXM_CPU_NEON = 4,
    LXM_CPU_ALL = 7
} lxm_cpu;

/* A set of lxm_cpu: what this processor has, less what the environment variable LEXMILL_CPU masks
 * ("scalar", "avx2", "avx512", "neon": that and what it includes; any other value masks nothing),
 * which is read once. */
unsigned lxm_cpu_features(void);

/* The same with the variable's value given, or NULL. */
unsigned lxm_cpu_features_up_to(const char *name);

#endif
