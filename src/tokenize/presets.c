/* The presets: each is defined by its PCRE2 pattern. */
#include "lexmill/tokenize.h"

/* White_Space of Unicode, written out: PCRE2's own \s has U+180E under UCP. */
#define SPACE                                                                                      \
    "\\t-\\r\\x20\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}"   \
    "\\x{3000}"
#define S "[" SPACE "]"

/* Ideographs: the blocks of CJK, its compatibility block, planes 2 and 3. */
#define IDEOGRAPH "\\x{3400}-\\x{4DBF}\\x{4E00}-\\x{9FFF}\\x{F900}-\\x{FAFF}\\x{20000}-\\x{3FFFF}"
#define LETTER "[^\\P{L}" IDEOGRAPH "]"
#define WORD_PART "(?:" LETTER "++|[\\p{N}\\p{M}]++)"
/* Apostrophes, hyphens, _, middle dots, soft hyphen, zero width joiners, Hebrew marks and maqaf,
 * Armenian hyphen, Arabic separators of numbers. */
#define JOINER                                                                                     \
    "['\\x{2019}\\-\\x{2010}\\x{2011}_\\x{B7}\\x{2027}\\x{AD}\\x{200C}\\x{200D}\\x{5F3}\\x{5F4}"   \
    "\\x{5BE}\\x{58A}\\x{66B}\\x{66C}]"
/* What a symbol has behind it: marks, skin tones, tags; and what a zero width joiner ties to it:
 * symbols, among which emoji sequences count U+2194. */
#define EXTEND "[\\p{M}\\x{1F3FB}-\\x{1F3FF}\\x{E0020}-\\x{E007F}]*+"
#define TIED "(?:\\x{200D}[\\p{So}\\x{2194}]" EXTEND ")*+"
#define FLAG "[\\x{1F1E6}-\\x{1F1FF}]{2}"

/*
 * A word is made of letters, marks and numbers, and begins with a letter or a number. Single
 * joiners hold its parts together, and so do . and , between decimal digits. A flag (two regional
 * indicators), an ideograph and any other character that can be seen is a token, with what it has
 * behind it. White space, controls and format characters are dropped.
 */
#define WORDS                                                                                      \
    "(?:" LETTER "|\\p{N})" WORD_PART "*+"                                                         \
    "(?:(?:" JOINER "|(?<=\\p{Nd})[.,](?=\\p{Nd}))(?=" LETTER "|\\p{N})" WORD_PART "++)*+"         \
    "|(?:" FLAG "|[^\\p{Z}\\p{Cc}\\p{Cf}])" EXTEND TIED

/* Python's str.isspace, which is White_Space and U+001C to U+001F. */
#define BOOK_BREAK "\\x{1C}-\\x{1F}" SPACE ",.:;?_!\"()'"
#define BOOK "--|[,.:;?_!\"()']|(?:[^\\-" BOOK_BREAK "]++|-(?!-))++"

/* Punctuation, ASCII's symbols among it, and the ideographs that BERT sets apart. */
#define BERT_ALONE                                                                                 \
    "!-/:-@\\[-`{-~\\p{P}\\x{3400}-\\x{4DBF}\\x{4E00}-\\x{9FFF}\\x{F900}-\\x{FAFF}"                \
    "\\x{20000}-\\x{2A6DF}\\x{2A700}-\\x{2B81F}\\x{2B920}-\\x{2CEAF}\\x{2F800}-\\x{2FA1F}"
#define BERT "[" BERT_ALONE "]|[^" SPACE BERT_ALONE "]++"

#define GPT2                                                                                       \
    "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^" SPACE "\\p{L}\\p{N}]++|" S "+(?![^" SPACE    \
    "])|" S "++"

#define CL100K                                                                                     \
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+"                           \
    "| ?[^" SPACE "\\p{L}\\p{N}]++[\\r\\n]*+|" S "++\\z|" S "*[\\r\\n]|" S "+(?![^" SPACE "])|" S

#define LLAMA3_WITH(digits)                                                                        \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}++|" digits "| ?[^" SPACE            \
    "\\p{L}\\p{N}]++[\\r\\n]*+|" S "*[\\r\\n]+|" S "+(?![^" SPACE "])|" S "++"

#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define SUFFIX "(?i:'s|'t|'re|'ve|'m|'ll|'d)?+"
#define O200K                                                                                      \
    "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "++" SUFFIX "|[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER \
    "*+" SUFFIX "|\\p{N}{1,3}+| ?[^" SPACE "\\p{L}\\p{N}]++[\\r\\n/]*+|" S "*[\\r\\n]+|" S         \
    "+(?![^" SPACE "])|" S "++"

const lxm_preset *lxm_preset_at(size_t index)
{
    static const lxm_preset presets[] = {
        {"words", WORDS, "lexmill",
         "words of any language with inner apostrophes and hyphens, numbers, each ideograph, each "
         "punctuation mark, emoji"},
        {"book", BOOK, "Build a Large Language Model (From Scratch), section 2.2",
         "re.split(r'([,.:;?_!\"()\\']|--|\\s)'), white space dropped"},
        {"whitespace", "[^" SPACE "]++", "Unicode White_Space", "what stands between white space"},
        {"bert", BERT, "huggingface/tokenizers normalizers/bert.rs, pre_tokenizers/bert.rs",
         "BERT's words before WordPiece: punctuation and ideographs one by one", true},
        {"gpt2", GPT2, "openai/tiktoken openai_public.py: gpt2", "GPT-2"},
        {"r50k", GPT2, "openai/tiktoken openai_public.py: r50k_base", "GPT-3; the same as gpt2"},
        {"p50k", GPT2, "openai/tiktoken openai_public.py: p50k_base",
         "Codex, text-davinci-003; the same as gpt2"},
        {"cl100k", CL100K, "openai/tiktoken openai_public.py: cl100k_base", "GPT-3.5 and GPT-4"},
        {"o200k", O200K, "openai/tiktoken openai_public.py: o200k_base", "GPT-4o"},
        {"llama3", LLAMA3_WITH("\\p{N}{1,3}+"), "ggml-org/llama.cpp llama-vocab.cpp: llama3",
         "Llama 3"},
        {"qwen2", LLAMA3_WITH("\\p{N}"), "ggml-org/llama.cpp llama-vocab.cpp: qwen2",
         "Qwen 2 and 2.5"},
    };
    return index < sizeof presets / sizeof *presets ? &presets[index] : NULL;
}
