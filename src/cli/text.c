#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void cli_text_begin(cli_text *text, int argc)
{
    *text = (cli_text){.specials = calloc((size_t)argc + 1, sizeof *text->specials)};
    if (!text->specials)
        cli_out_of_memory();
    text->tokenizer.specials = text->specials;
}

void cli_text_end(cli_text *text)
{
    free(text->specials);
}

static void set_documents(lxm_tokenize_run_options *run, const char *how)
{
    static const char *const ways[] = {"file", "line", "blank", "nul", "jsonl", "sentence", NULL};
    static const char json_field[] = "jsonl:";
    bool field = strncmp(how, json_field, strlen(json_field)) == 0;
    run->field = field ? how + strlen(json_field) : NULL;
    run->documents = (lxm_documents)cli_choice("documents", field ? "jsonl" : how, ways);
    if (field && !*run->field)
        cli_usage("--documents: '%s' names no field", how);
}

bool cli_text_option(cli_text *text, int option)
{
    static const char *const forms[] = {"none", "nfc", "nfd", "nfkc", "nfkd", NULL};
    static const char *const invalid[] = {"error", "replace", "bytes", NULL};
    lxm_tokenizer_options *t = &text->tokenizer;
    switch (option) {
    case 'p':
        t->preset = optarg;
        break;
    case 'e':
    case cli_text_split:
        if (t->pattern)
            cli_usage("one pattern alone cuts text: give one -e or one --split");
        t->pattern = optarg;
        t->split = option == cli_text_split;
        break;
    case 'n':
        t->normal_form = (lxm_normal_form)cli_choice("normalize", optarg, forms);
        break;
    case cli_text_casefold:
        t->casefold = true;
        break;
    case cli_text_lowercase:
        t->lowercase = true;
        break;
    case cli_text_strip_marks:
        t->strip_marks = true;
        break;
    case cli_text_clean:
        t->clean = true;
        break;
    case 'd':
        set_documents(&text->run, optarg);
        break;
    case cli_text_special:
        text->specials[t->special_count++] = optarg;
        break;
    case cli_text_invalid:
        t->invalid = (lxm_invalid)cli_choice("invalid", optarg, invalid);
        break;
    case cli_text_offsets:
        t->offsets = true;
        break;
    case cli_text_max_token:
        t->max_token = cli_size("max-token", optarg, 1, 1 << 30);
        break;
    case cli_text_match_limit:
        t->match_limit = (uint32_t)cli_number("match-limit", optarg, 1, UINT32_MAX);
        break;
    case cli_text_skip_bad:
        text->run.skip_bad = true;
        break;
    case cli_text_from:
        text->from = optarg;
        break;
    case cli_text_files_from:
        text->files_from = optarg;
        break;
    default:
        return false;
    }
    return true;
}

void cli_text_skipped(const lxm_tokenize_run_result *result)
{
    const char *path = result->bad_path;
    if (path)
        cli_note("skipped %" PRIu64 " bad lines of %" PRIu64 ", the first at %s:%" PRIu64,
                 result->bad_lines, result->lines, strcmp(path, "-") ? path : "standard input",
                 result->bad_line);
}

void cli_text_tell(const lxm_tokenize_run_result *result, const char *items)
{
    cli_note("%" PRIu64 " %s of %" PRIu64 " documents", result->items, items, result->documents);
}

lxm_status cli_text_tokenizer(const cli_text *text, lxm_tokenizer **tokenizer, lxm_error *error)
{
    if (text->from)
        return lxm_tokenizer_open(tokenizer, text->from, &text->tokenizer, NULL, error);
    return lxm_tokenizer_new(tokenizer, &text->tokenizer, NULL, error);
}
