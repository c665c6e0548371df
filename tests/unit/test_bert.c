/* The preset "bert" gives what BERT's tokenizers give: expected values from Hugging Face's
 * tokenizers 0.23 (BertNormalizer, BertPreTokenizer), cased and uncased. */
#include "unit.h"

typedef struct example {
    const char *text;
    size_t length;
    const char *cased, *uncased; /* tokens joined by | */
} example;

static const example examples[] = {
    {"Hello, World! it's na\303\257ve--caf\303\251.", 33,
     "Hello|,|World|!|it|'|s|na\303\257ve|-|-|caf\303\251|.",
     "hello|,|world|!|it|'|s|naive|-|-|cafe|."},
    {"tab\011nl\012CR\015vt\013ff\014nel\302\205end", 24, "tab|nl|CR|vtffnelend",
     "tab|nl|cr|vtffnelend"},
    {"\000nul\000in\177\357\277\275side", 15, "nulinside", "nulinside"},
    {"soft\302\255hyphen zero\342\200\213width \342\200\216LTR\342\200\217\357\273\277bom", 41,
     "softhyphen|zerowidth|LTRbom", "softhyphen|zerowidth|ltrbom"},
    {"no\302\240break\342\200\203em\343\200\200wide\342\200\250line", 28, "no|break|em|wide|line",
     "no|break|em|wide|line"},
    {"\346\235\261\344\272\254\343\201\257Tokyo\343\200\201\345\244\247\351\230\252\343\201\247\343"
     "\201\231\343\200\202",
     32,
     "\346\235\261|\344\272\254|\343\201\257Tokyo|\343\200\201|\345\244\247|\351\230\252|"
     "\343\201\247\343\201\231|\343\200\202",
     "\346\235\261|\344\272\254|\343\201\257tokyo|\343\200\201|\345\244\247|\351\230\252|"
     "\343\201\246\343\201\231|\343\200\202"},
    {"\355\225\234\352\265\255\354\226\264 \353\254\270\354\236\245, \352\260\201 "
     "\354\235\214\354\240\210",
     28,
     "\355\225\234\352\265\255\354\226\264|\353\254\270\354\236\245|,|\352\260\201|"
     "\354\235\214\354\240\210",
     "\341\204\222\341\205\241\341\206\253\341\204\200\341\205\256\341\206\250\341\204\213\341\205"
     "\245|\341\204\206\341\205\256\341\206\253\341\204\214\341\205\241\341\206\274|,|"
     "\341\204\200\341\205\241\341\206\250|"
     "\341\204\213\341\205\263\341\206\267\341\204\214\341\205\245\341\206\257"},
    {"\344\270\255\314\201x e\342\200\215\314\201 e\314\201", 17,
     "\344\270\255|\314\201x|e\314\201|e\314\201", "\344\270\255|x|e|e"},
    {"\357\244\200\360\257\240\200\360\240\200\200\360\253\240\240x\360\253\244\200y", 21,
     "\357\244\200|\360\257\240\200|\360\240\200\200|\360\253\240\240x\360\253\244\200y",
     "\350\261\210|\344\270\275|\360\240\200\200|\360\253\240\240x\360\253\244\200y"},
    {"\304\260stanbul ISPARTA \304\261\305\236\304\261K \316\221\316\243 "
     "\316\243\316\257\317\203\317\205\317\206\316\277\317\202",
     45,
     "\304\260stanbul|ISPARTA|\304\261\305\236\304\261K|\316\221\316\243|"
     "\316\243\316\257\317\203\317\205\317\206\316\277\317\202",
     "istanbul|isparta|\304\261s\304\261k|\316\261\317\203|"
     "\317\203\316\271\317\203\317\205\317\206\316\277\317\202"},
    {"\307\204 \316\251 \303\205 \357\254\201n \303\237 \341\272\236", 20,
     "\307\204|\316\251|\303\205|\357\254\201n|\303\237|\341\272\236",
     "\307\206|\317\211|a|\357\254\201n|\303\237|\303\237"},
    {"\340\244\271\340\244\277\340\244\250\340\245\215\340\244\246\340\245\200 "
     "\340\244\256\340\245\207\340\244\202 "
     "\340\244\225\340\244\277\340\244\244\340\244\276\340\244\254",
     44,
     "\340\244\271\340\244\277\340\244\250\340\245\215\340\244\246\340\245\200|"
     "\340\244\256\340\245\207\340\244\202|"
     "\340\244\225\340\244\277\340\244\244\340\244\276\340\244\254",
     "\340\244\271\340\244\277\340\244\250\340\244\246\340\245\200|\340\244\256|"
     "\340\244\225\340\244\277\340\244\244\340\244\276\340\244\254"},
    {"\327\251\326\270\327\201\327\234\327\225\326\271\327\235 "
     "\327\242\326\262\327\234\326\265\327\231\327\233\326\266\327\235",
     31,
     "\327\251\326\270\327\201\327\234\327\225\326\271\327\235|"
     "\327\242\326\262\327\234\326\265\327\231\327\233\326\266\327\235",
     "\327\251\327\234\327\225\327\235|\327\242\327\234\327\231\327\233\327\235"},
    {"\360\237\246\232\360\237\217\275\342\200\215\342\231\202\357\270\217 e-mail@x.org $5 "
     "<b>&amp;</b> `a^b|c~d`",
     56,
     "\360\237\246\232\360\237\217\275\342\231\202\357\270\217|e|-|mail|@|x|.|org|$|5|<|b|>|&|amp|;"
     "|<|/|b|>|`|a|^|b|||c|~|d|`",
     "\360\237\246\232\360\237\217\275\342\231\202|e|-|mail|@|x|.|org|$|5|<|b|>|&|amp|;|<|/"
     "|b|>|`|a|^|b|||c|~|d|`"},
    {"a\314\200\314\243b o\314\210\314\204 \341\271\251 \316\220", 19,
     "a\314\200\314\243b|o\314\210\314\204|\341\271\251|\316\220", "ab|o|s|\316\271"},
    {"private\356\200\200use \363\260\200\200end \315\270x", 25, "privateuse|end|\315\270x",
     "privateuse|end|\315\270x"},
    {"\302\241Hola! \302\253\302\277Qu\303\251\?\302\273 \342\200\234ok\342\200\235 \342\200\246 "
     "\342\200\260 50% \302\2475 \302\266 \302\251",
     50,
     "\302\241|Hola|!|\302\253|\302\277|Qu\303\251|\?|\302\273|\342\200\234|ok|\342\200\235|"
     "\342\200\246|\342\200\260|50|%|\302\247|5|\302\266|\302\251",
     "\302\241|hola|!|\302\253|\302\277|que|\?|\302\273|\342\200\234|ok|\342\200\235|\342\200\246|"
     "\342\200\260|50|%|\302\247|5|\302\266|\302\251"},
    {"x\315\205\314\201y \342\204\246 \342\204\253 \357\254\253", 18,
     "x\315\205\314\201y|\342\204\246|\342\204\253|\357\254\253", "xy|\317\211|a|\327\251"},
};

typedef struct joined {
    char text[512];
    size_t length;
    uint64_t end;
} joined;

static lxm_status join(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    joined *j = context;
    (void)error;
    for (size_t i = 0; i < tokens->count; i++) {
        size_t size = tokens->spans[i].end - tokens->spans[i].begin;
        assert_true(j->length + size + 2 < sizeof j->text);
        if (j->length)
            j->text[j->length++] = '|';
        memcpy(j->text + j->length, tokens->text + tokens->spans[i].begin, size);
        j->length += size;
        assert_true(tokens->offsets[2 * i] < tokens->offsets[2 * i + 1]);
        j->end = tokens->offsets[2 * i + 1];
    }
    j->text[j->length] = '\0';
    return LXM_OK;
}

static lxm_status end(void *context, lxm_error *error)
{
    (void)context;
    (void)error;
    return LXM_OK;
}

static void segment(const lxm_tokenizer_options *options, const char *text, size_t length,
                    size_t step, joined *j)
{
    lxm_tokenizer *tokenizer;
    lxm_segmenter *segmenter;
    lxm_error error;
    *j = (joined){0};
    lxm_token_sink sink = {join, end, j};
    unit_succeeds(lxm_tokenizer_new(&tokenizer, options, NULL, &error), &error);
    unit_succeeds(lxm_segmenter_new(&segmenter, tokenizer, &sink, NULL, &error), &error);
    for (size_t i = 0; i < length; i += step)
        unit_succeeds(
            lxm_segmenter_push(segmenter, text + i, i + step < length ? step : length - i, &error),
            &error);
    unit_succeeds(lxm_segmenter_end_document(segmenter, &error), &error);
    lxm_segmenter_free(segmenter);
    lxm_tokenizer_free(tokenizer);
}

static void the_tokens_are_those_of_bert(void **state)
{
    (void)state;
    const lxm_tokenizer_options cased = {.preset = "bert", .offsets = true};
    const lxm_tokenizer_options uncased = {
        .preset = "bert", .lowercase = true, .strip_marks = true, .offsets = true};
    joined j;
    for (size_t i = 0; i < unit_count(examples); i++)
        for (size_t step = 1; step <= examples[i].length; step++) {
            segment(&cased, examples[i].text, examples[i].length, step, &j);
            assert_string_equal(j.text, examples[i].cased);
            segment(&uncased, examples[i].text, examples[i].length, step, &j);
            assert_string_equal(j.text, examples[i].uncased);
        }
}

static void clean_up_works_with_any_pattern(void **state)
{
    (void)state;
    const lxm_tokenizer_options options = {.pattern = "(?s).+", .clean = true, .offsets = true};
    joined j;
    segment(&options, "a\tb\0\x7f\xC2\xA0\xE2\x80\x8B\xEF\xBF\xBDz", 14, 14, &j);
    assert_string_equal(j.text, "a b z");
}

/* What is dropped behind a changed character isn't part of the token that this ends. */
static void dropped_characters_are_in_no_token(void **state)
{
    (void)state;
    const lxm_tokenizer_options options = {
        .preset = "bert", .lowercase = true, .strip_marks = true, .offsets = true};
    joined j;
    for (size_t step = 1; step < 9; step++) {
        segment(&options, "x\xC3\xA9\xE2\x80\x8B  ", 8, step, &j);
        assert_string_equal(j.text, "xe");
        assert_int_equal(j.end, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tokens_are_those_of_bert),
        cmocka_unit_test(clean_up_works_with_any_pattern),
        cmocka_unit_test(dropped_characters_are_in_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
