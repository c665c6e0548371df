/*
 * The pre-tokenizers of tokenizer.json. One that is a preset becomes that preset, with its
 * scanner; any other becomes a pattern for PCRE2.
 */
#include "base/error.h"
#include "formats/oniguruma.h"
#include "formats/tokenizer_json.h"
#include "tokenize/scanner.h"

#define GPT2_CONTRACTIONS "'s|'t|'re|'ve|'m|'ll|'d"
#define GPT2_REST " ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define LLAMA3_WITH(digits)                                                                        \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits                           \
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define SUFFIX "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"

/* Punctuation as BERT's and the pre-tokenizer Punctuation see it. */
#define PUNCTUATION "!-/:-@\\[-`{-~\\p{P}"

/* How a preset's pattern is spelled in the files of the models that use it. */
static const struct {
    const char *pattern, *preset;
} spellings[] = {
    {GPT2_CONTRACTIONS "| ?\\p{L}+| ?\\p{N}+|" GPT2_REST, "gpt2"},
    {"'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+|" GPT2_REST, "gpt2"},
    {LLAMA3_WITH("\\p{N}{1,3}"), "llama3"},
    {LLAMA3_WITH("\\p{N}"), "qwen2"},
    {"[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+" SUFFIX "|[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER
     "*" SUFFIX "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     "o200k"},
};

/* DeepSeek-V3: three splits, one after another. */
#define DEEPSEEK_DIGITS "\\p{N}{1,3}"
#define DEEPSEEK_IDEOGRAPHS "[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+"
#define DEEPSEEK_WORDS                                                                             \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}"      \
    "\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"

static lxm_status put(lxm_rules *rules, const char *text, lxm_error *error)
{
    return lxm_buffer_append(&rules->pattern, text, strlen(text)) ? LXM_OK : lxm_fail_memory(error);
}

/* The pattern in the buffer is finished. */
static lxm_status use_pattern(lxm_rules *rules, bool split, lxm_error *error)
{
    if (!lxm_buffer_append(&rules->pattern, "", 1))
        return lxm_fail_memory(error);
    rules->options.pattern = (const char *)rules->pattern.data;
    rules->options.split = split;
    return LXM_OK;
}

static lxm_status use(lxm_rules *rules, const char *pattern, lxm_error *error)
{
    lxm_status status = put(rules, pattern, error);
    return status ? status : use_pattern(rules, false, error);
}

/* Wraps what the buffer holds from `begin` on: its matches are tokens, and so is what lies between
 * two of them. */
static lxm_status isolate(lxm_rules *rules, lxm_error *error)
{
    lxm_buffer match = rules->pattern;
    lxm_buffer_init(&rules->pattern, &match.allocator);
    lxm_status status = put(rules, "(?:", error);
    for (int i = 0; !status && i < 2; i++) {
        if (!lxm_buffer_append(&rules->pattern, match.data, match.length))
            status = lxm_fail_memory(error);
        else
            status = put(rules, i ? ")(?s:.))++" : ")|(?:(?!", error);
    }
    lxm_buffer_free(&match);
    return status ? status : use_pattern(rules, false, error);
}

/* A pattern that can match nothing would mean other things in other engines. */
static lxm_status check_not_empty(const lxm_rules *rules, lxm_error *error)
{
    bool empty;
    lxm_buffer copy;
    lxm_buffer_init(&copy, &rules->pattern.allocator);
    lxm_status status = LXM_ERROR_MEMORY;
    if (lxm_buffer_append(&copy, rules->pattern.data, rules->pattern.length) &&
        lxm_buffer_append(&copy, "", 1))
        status = lxm_pattern_matches_empty((const char *)copy.data, &empty, &copy.allocator, error);
    else
        lxm_fail_memory(error);
    lxm_buffer_free(&copy);
    if (!status && empty)
        status = lxm_rules_refuse("a Split pattern that matches", "nothing at all", error);
    return status;
}

static lxm_status split_pattern(lxm_rules *rules, const json_t *pattern, lxm_error *error)
{
    const json_t *regex = json_object_get(pattern, "Regex");
    const json_t *text = json_object_get(pattern, "String");
    if (json_is_string(regex))
        return lxm_oniguruma_translate(&rules->pattern, json_string_value(regex), error);
    if (json_is_string(text))
        return lxm_oniguruma_quote(&rules->pattern, json_string_value(text),
                                   json_string_length(text), error);
    return lxm_fail(error, LXM_ERROR_FORMAT, "tokenizer.json: a Split without a pattern");
}

static const char *regex_of(const json_t *split)
{
    return json_string_value(json_object_get(json_object_get(split, "pattern"), "Regex"));
}

static bool is_isolated(const json_t *split)
{
    const char *behavior = json_string_value(json_object_get(split, "behavior"));
    return behavior && strcmp(behavior, "Isolated") == 0;
}

/* Where the interval stands in a pattern that Oniguruma knows no possessive form of; or NULL. */
static const char *possessive_interval(const char *pattern)
{
    return strstr(pattern, "{1,3}+");
}

bool lxm_rules_regex(lxm_buffer *regex, const lxm_preset *preset)
{
    const char *pattern = preset->pattern, *interval;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (strcmp(spellings[i].preset, preset->name) == 0)
            pattern = spellings[i].pattern;
    for (; (interval = possessive_interval(pattern)); pattern = interval + 6)
        if (!lxm_buffer_append(regex, pattern, (size_t)(interval - pattern) + 5))
            return false;
    return lxm_buffer_append(regex, pattern, strlen(pattern) + 1);
}

/* Whether a Regex is what lxm_rules_regex makes of a pattern. */
static bool is_regex_of(const char *regex, const char *pattern)
{
    const char *interval;
    for (; (interval = possessive_interval(pattern)); pattern = interval + 6) {
        size_t length = (size_t)(interval - pattern) + 5;
        if (strncmp(regex, pattern, length) != 0)
            return false;
        regex += length;
    }
    return strcmp(regex, pattern) == 0;
}

bool lxm_rules_drops_text(const lxm_preset *preset)
{
    static const char *const names[] = {"words", "book", "whitespace", "bert"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(preset->name, names[i]) == 0)
            return true;
    return false;
}

/* The preset that a Regex stands for whose matches are the tokens, or, with `whole`, whose matches
 * are all there is; or NULL. */
static const char *preset_of(const char *regex, bool whole)
{
    const lxm_preset *preset;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (strcmp(regex, spellings[i].pattern) == 0)
            return spellings[i].preset;
    for (size_t i = 0; (preset = lxm_preset_at(i)); i++)
        if (!preset->clean && !(whole && lxm_rules_drops_text(preset)) &&
            is_regex_of(regex, preset->pattern))
            return preset->name;
    return NULL;
}

static lxm_status split(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    const char *behavior = json_string_value(json_object_get(part, "behavior"));
    const char *regex = regex_of(part);
    bool isolated = is_isolated(part), removed = behavior && strcmp(behavior, "Removed") == 0;
    bool invert = lxm_rules_flag(part, "invert", false);
    const char *preset = NULL;
    if (regex && (isolated || (removed && invert)))
        preset = preset_of(regex, isolated);
    if (preset) {
        rules->options.preset = preset;
        return LXM_OK;
    }
    const char *text =
        json_string_value(json_object_get(json_object_get(part, "pattern"), "String"));
    if (text && strcmp(text, " ") == 0 && !invert && lxm_rules_no_spaces(rules))
        return lxm_rules_uncut(rules, error);
    if (!isolated && !removed)
        return lxm_rules_refuse("the pre_tokenizer Split with", behavior ? behavior : "", error);
    lxm_status status = split_pattern(rules, json_object_get(part, "pattern"), error);
    if (!status)
        status = check_not_empty(rules, error);
    if (status)
        return status;
    return isolated ? isolate(rules, error) : use_pattern(rules, !invert, error);
}

static lxm_status byte_level(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    if (!lxm_rules_flag(part, "use_regex", true))
        return lxm_rules_refuse("the pre_tokenizer", "ByteLevel without a pattern", error);
    rules->options.preset = "gpt2";
    rules->options.prefix_space = lxm_rules_flag(part, "add_prefix_space", true);
    return LXM_OK;
}

static lxm_status bert(lxm_rules *rules, lxm_error *error)
{
    static const char alone[] = "[" PUNCTUATION "]|[^\\p{White_Space}" PUNCTUATION "]++";
    const lxm_preset *preset = lxm_preset_at(0);
    if (!rules->ideographs)
        return use(rules, alone, error);
    if (rules->options.clean && rules->recipe.step_count == 0) {
        rules->options.preset = "bert";
        return LXM_OK;
    }
    for (size_t i = 0; strcmp(preset->name, "bert") != 0; i++)
        preset = lxm_preset_at(i);
    return use(rules, preset->pattern, error);
}

static lxm_status digits(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    lxm_status status =
        put(rules, lxm_rules_flag(part, "individual_digits", false) ? "\\p{N}" : "\\p{N}++", error);
    return status ? status : isolate(rules, error);
}

static lxm_status punctuation(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    const char *behavior = json_string_value(json_object_get(part, "behavior"));
    bool removed = behavior && strcmp(behavior, "Removed") == 0;
    if (behavior && !removed && !is_isolated(part))
        return lxm_rules_refuse("the pre_tokenizer Punctuation with", behavior, error);
    lxm_status status = put(rules, "[" PUNCTUATION "]", error);
    if (status)
        return status;
    return removed ? use_pattern(rules, true, error) : isolate(rules, error);
}

/* What Rust's regex calls a word character. */
#define WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}"

static lxm_status one(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    const char *type = lxm_rules_type(part);
    if (strcmp(type, "BertPreTokenizer") == 0)
        return bert(rules, error);
    lxm_status status = lxm_rules_set_ideographs_apart(rules, error);
    if (status)
        return status;
    if (strcmp(type, "ByteLevel") == 0)
        return byte_level(rules, part, error);
    if (strcmp(type, "Split") == 0)
        return split(rules, part, error);
    if (strcmp(type, "Digits") == 0)
        return digits(rules, part, error);
    if (strcmp(type, "Punctuation") == 0)
        return punctuation(rules, part, error);
    if (strcmp(type, "Whitespace") == 0)
        return use(rules, "[" WORD "]++|[^" WORD "\\p{White_Space}]++", error);
    if (strcmp(type, "WhitespaceSplit") == 0) {
        rules->options.preset = "whitespace";
        return LXM_OK;
    }
    if (strcmp(type, "Metaspace") == 0)
        return lxm_rules_metaspace(rules, part, false, error);
    return lxm_rules_refuse("the pre_tokenizer", *type ? type : "without a type", error);
}

/* ---- sequences ---- */

static bool is(const json_t *list, size_t i, const char *type)
{
    return strcmp(lxm_rules_type(json_array_get(list, i)), type) == 0;
}

/* Digits, then GPT-2's pattern in what is left: white space before a digit is at an end. */
static lxm_status digits_then_gpt2(lxm_rules *rules, const json_t *list, lxm_error *error)
{
    bool single = lxm_rules_flag(json_array_get(list, 0), "individual_digits", false);
    lxm_status status = put(rules, GPT2_CONTRACTIONS "| ?\\p{L}++|", error);
    if (!status)
        status = put(rules, single ? "\\p{N}" : "\\p{N}++", error);
    if (!status)
        status = put(rules,
                     "| ?[^\\p{White_Space}\\p{L}\\p{N}]++|"
                     "\\p{White_Space}+(?![^\\p{White_Space}\\p{N}])|\\p{White_Space}++",
                     error);
    return status ? status : use_pattern(rules, false, error);
}

static bool has_regex(const json_t *list, size_t i, const char *pattern)
{
    const char *regex = regex_of(json_array_get(list, i));
    return is(list, i, "Split") && is_isolated(json_array_get(list, i)) && regex &&
           strcmp(regex, pattern) == 0;
}

/* DeepSeek's three splits in one pattern. A number ends what the third is given, and so do
 * ideographs and kana, whose runs it is given as well. */
static lxm_status deepseek(lxm_rules *rules, lxm_error *error)
{
#define KANA_IDEOGRAPHS "\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{30FF}"
#define CUT "\\p{N}" KANA_IDEOGRAPHS
#define OF_RUN(set) "(?:(?=[" KANA_IDEOGRAPHS "])" set ")"
#define RUN_LETTERS OF_RUN("[^\\p{L}\\p{P}\\p{S}]") "?" OF_RUN("[\\p{L}\\p{M}]") "++"
    static const char pattern[] = "\\p{N}{1,3}|" RUN_LETTERS "|" OF_RUN(
        "[\\p{P}\\p{S}]") "++"
                          "|(?:(?!" RUN_LETTERS ")" OF_RUN(
                              "[^\\p{L}\\p{M}\\p{P}\\p{S}]") ")++"
                                                             "|[!-/:-@\\[-`{-~][A-Za-z]++"
                                                             "|[^\\r\\n\\p{L}\\p{P}\\p{S}" CUT
                                                             "]?(?:(?![" CUT "])[\\p{L}\\p{M}])++"
                                                             "| ?(?:(?![" CUT
                                                             "])[\\p{P}\\p{S}])++[\\r\\n]*+|\\p{"
                                                             "White_Space}*[\\r\\n]+"
                                                             "|\\p{White_Space}+(?![^\\p{White_"
                                                             "Space}" CUT "])|\\p{White_Space}++";
    lxm_status status = put(rules, pattern, error);
    return status ? status : isolate(rules, error);
}

/* Whether a ByteLevel only writes bytes as characters, which is idmap's part. */
static bool is_plain_byte_level(const json_t *part)
{
    return strcmp(lxm_rules_type(part), "ByteLevel") == 0 &&
           !lxm_rules_flag(part, "use_regex", true);
}

static lxm_status sequence(lxm_rules *rules, const json_t *list, lxm_error *error)
{
    size_t count = json_array_size(list);
    const json_t *last = json_array_get(list, count - 1);
    bool prefix = lxm_rules_flag(last, "add_prefix_space", true);
    bool plain = count > 1 && is_plain_byte_level(last);
    if (plain && prefix)
        return lxm_rules_refuse("behind other pre_tokenizers, add_prefix_space of", "ByteLevel",
                                error);
    count -= plain;
    if (count == 1)
        return lxm_rules_pre_tokenizer(rules, json_array_get(list, 0), error);
    lxm_status status = lxm_rules_set_ideographs_apart(rules, error);
    if (status)
        return status;
    if (count == 2 && is(list, 0, "Digits") && is(list, 1, "ByteLevel") && !plain && !prefix)
        return digits_then_gpt2(rules, list, error);
    if (count == 2 && is(list, 0, "WhitespaceSplit") && is(list, 1, "Metaspace"))
        return lxm_rules_metaspace(rules, json_array_get(list, 1), true, error);
    if (count == 3 && has_regex(list, 0, DEEPSEEK_DIGITS) &&
        has_regex(list, 1, DEEPSEEK_IDEOGRAPHS) && has_regex(list, 2, DEEPSEEK_WORDS))
        return deepseek(rules, error);
    return lxm_rules_refuse("a Sequence of pre_tokenizers that ends in",
                            lxm_rules_type(json_array_get(list, count - 1)), error);
}

lxm_status lxm_rules_pre_tokenizer(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    if (json_is_null(part)) {
        lxm_status status = lxm_rules_set_ideographs_apart(rules, error);
        return status ? status : lxm_rules_uncut(rules, error);
    }
    if (strcmp(lxm_rules_type(part), "Sequence") != 0)
        return one(rules, part, error);
    const json_t *list = json_object_get(part, "pretokenizers");
    if (json_array_size(list) == 0)
        return lxm_fail(error, LXM_ERROR_FORMAT, "tokenizer.json: a Sequence without a list");
    return sequence(rules, list, error);
}
