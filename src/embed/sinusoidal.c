/*
 * Sinusoidal positions (Vaswani et al., "Attention Is All You Need", 2017, section 3.5).
 *
 * In double precision and without the C library, whose last bits differ from one to the next:
 * Taylor series on reduced arguments.
 */
#include "base/error.h"
#include "embed/table.h"

/* e^x for -745 < x <= 0. */
static double exponential(double x)
{
    int halvings = (int)(-x * 1.4426950408889634 + 0.5);
    double r = x + halvings * 0.6931471803691238 + halvings * 1.9082149292705877e-10;
    double sum = 1;
    for (int n = 20; n > 0; n--)
        sum = 1 + sum * r / n;
    for (; halvings > 0; halvings--)
        sum *= 0.5;
    return sum;
}

/* The sine of x radians, or its cosine, for x from -pi/4 to pi/4. */
static double taylor(double x, bool cosine)
{
    double square = x * x, sum = 1;
    for (int n = 20 - !cosine; n > 1; n -= 2)
        sum = 1 - sum * square / (double)(n * (n - 1));
    return cosine ? sum : x * sum;
}

/* The sine of `turns` of a circle and of a quarter more, which is the cosine. */
static double sine_of_turns(double turns, bool cosine)
{
    turns -= (double)(uint64_t)turns;
    unsigned quarter = (unsigned)(4 * turns + 0.5);
    double x = (turns - 0.25 * quarter) * 6.283185307179586;
    quarter += cosine;
    double value = taylor(x, quarter & 1);
    return quarter & 2 ? -value : value;
}

lxm_status lxm_table_sinusoidal(lxm_table **out, uint64_t rows, size_t dim,
                                const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    if (rows == 0 || rows == LXM_ANY_ROW || dim == 0)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "positions need a number of rows and a dim");
    lxm_table *table = lxm_table_allocate(allocator, rows, dim);
    if (!table)
        return lxm_fail_memory(error);
    float *values;
    lxm_status status = lxm_table_store(table, &values, error);
    if (status) {
        lxm_table_free(table);
        return status;
    }
    for (size_t column = 0; column < dim; column++) {
        double exponent = (double)(column - column % 2) / (double)dim;
        double turns = exponential(-exponent * 9.210340371976184) / 6.283185307179586;
        for (size_t row = 0; row < rows; row++)
            values[row * dim + column] = (float)sine_of_turns((double)row * turns, column % 2);
    }
    *out = table;
    return LXM_OK;
}
