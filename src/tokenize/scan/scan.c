#include "tokenize/scan/scan.h"

#include "tokenize/scan/family.h"

static const struct {
    const char *preset;
    lxm_scan_id id;
} presets[] = {
    {"gpt2", LXM_SCAN_GPT2},
    {"r50k", LXM_SCAN_GPT2},
    {"p50k", LXM_SCAN_GPT2},
    {"cl100k", LXM_SCAN_CL100K},
    {"llama3", LXM_SCAN_LLAMA3},
    {"qwen2", LXM_SCAN_QWEN2},
    {"o200k", LXM_SCAN_O200K},
    {"words", LXM_SCAN_WORDS},
    {"book", LXM_SCAN_BOOK},
    {"bert", LXM_SCAN_BERT},
    {"whitespace", LXM_SCAN_WHITESPACE},
};

static const lxm_scanner *scanners(unsigned cpu)
{
#if defined __x86_64__
    if (cpu & LXM_CPU_AVX512)
        return lxm_scanners_avx512;
    if (cpu & LXM_CPU_AVX2)
        return lxm_scanners_avx2;
#elif defined __aarch64__
    if (cpu & LXM_CPU_NEON)
        return lxm_scanners_neon;
#endif
    (void)cpu;
    return lxm_scanners_scalar;
}

const lxm_scanner *lxm_scanner_for_preset(const char *name, unsigned cpu)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (strcmp(presets[i].preset, name) == 0)
            return &scanners(cpu)[presets[i].id];
    return NULL;
}
