/*
 * PyTorch's optimizers on sparse gradients (torch/optim: sgd.py, adagrad.py, and
 * _functional.sparse_adam), operation by operation in 32-bit floats. Steps are counted for the
 * whole layer, not for each row.
 */
#include "embed/optimizer.h"

#include <math.h>

#include "base/error.h"

static double plain_rate(const lxm_layer_options *options, uint64_t step)
{
    (void)step;
    return options->learning_rate;
}

static void move_sgd(const lxm_step *step, const float *gradient, float *row, float *states)
{
    (void)states;
    for (size_t i = 0; i < step->dim; i++)
        row[i] -= step->rate * gradient[i];
}

/* PyTorch's buffer is sparse, too, but keeps its rows: they move on by what is left of them. */
static void move_momentum(const lxm_step *step, const float *gradient, float *row, float *buffer)
{
    for (size_t i = 0; i < step->dim; i++) {
        buffer[i] *= step->momentum;
        if (gradient)
            buffer[i] += gradient[i];
        row[i] -= step->rate * buffer[i];
    }
}

static double adagrad_rate(const lxm_layer_options *options, uint64_t step)
{
    return options->learning_rate / (1 + (double)(step - 1) * options->learning_rate_decay);
}

static void move_adagrad(const lxm_step *step, const float *gradient, float *row, float *sum)
{
    for (size_t i = 0; i < step->dim; i++) {
        sum[i] += gradient[i] * gradient[i];
        row[i] -= step->rate * (gradient[i] / (sqrtf(sum[i]) + step->eps));
    }
}

static double adam_rate(const lxm_layer_options *options, uint64_t step)
{
    double correction1 = 1 - pow(options->beta1, (double)step);
    double correction2 = 1 - pow(options->beta2, (double)step);
    return options->learning_rate * sqrt(correction2) / correction1;
}

static void move_adam(const lxm_step *step, const float *gradient, float *row, float *states)
{
    float *first = states, *second = states + step->dim;
    for (size_t i = 0; i < step->dim; i++) {
        first[i] += (gradient[i] - first[i]) * step->rest1;
        second[i] += (gradient[i] * gradient[i] - second[i]) * step->rest2;
        row[i] -= step->rate * (first[i] / (sqrtf(second[i]) + step->eps));
    }
}

static const lxm_optimizer_kind kinds[] = {
    {LXM_OPTIMIZER_SGD, "sgd", {NULL}, 0, false, plain_rate, move_sgd},
    {LXM_OPTIMIZER_SGD, "momentum", {"momentum_buffer"}, 1, true, plain_rate, move_momentum},
    {LXM_OPTIMIZER_ADAGRAD, "adagrad", {"sum"}, 1, false, adagrad_rate, move_adagrad},
    {LXM_OPTIMIZER_ADAM, "adam", {"exp_avg", "exp_avg_sq"}, 2, false, adam_rate, move_adam},
};

void lxm_layer_defaults(lxm_layer_options *options, lxm_optimizer optimizer)
{
    bool adam = optimizer == LXM_OPTIMIZER_ADAM;
    *options = (lxm_layer_options){.optimizer = optimizer,
                                   .learning_rate = adam ? 1e-3 : 1e-2,
                                   .eps = adam ? 1e-8 : 1e-10,
                                   .beta1 = 0.9,
                                   .beta2 = 0.999};
}

/* Finite, and not below 0. */
static bool is_size(double value)
{
    return isfinite(value) && value >= 0;
}

static lxm_status check(const lxm_layer_options *o, lxm_error *error)
{
    if (!is_size(o->learning_rate) || !is_size(o->learning_rate_decay))
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "a learning rate and its decay are numbers from 0 on");
    if (!is_size(o->eps) || !is_size(o->initial_accumulator))
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "eps and the initial accumulator value are numbers from 0 on");
    if (!(o->beta1 >= 0 && o->beta1 < 1) || !(o->beta2 >= 0 && o->beta2 < 1))
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "betas are numbers from 0 to below 1");
    if (!is_size(o->momentum))
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a momentum is a number from 0 on");
    return LXM_OK;
}

const lxm_optimizer_kind *lxm_optimizer_find(const lxm_layer_options *options, lxm_error *error)
{
    if (check(options, error))
        return NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].optimizer == options->optimizer &&
            (options->optimizer != LXM_OPTIMIZER_SGD ||
             kinds[i].moves_all == (options->momentum > 0)))
            return &kinds[i];
    lxm_fail(error, LXM_ERROR_ARGUMENT, "no such optimizer: %d", (int)options->optimizer);
    return NULL;
}

lxm_step lxm_optimizer_step(const lxm_optimizer_kind *kind, const lxm_layer_options *options,
                            size_t dim, uint64_t step)
{
    return (lxm_step){.dim = dim,
                      .rate = (float)kind->rate(options, step),
                      .eps = (float)options->eps,
                      .momentum = (float)options->momentum,
                      .rest1 = (float)(1 - options->beta1),
                      .rest2 = (float)(1 - options->beta2)};
}
