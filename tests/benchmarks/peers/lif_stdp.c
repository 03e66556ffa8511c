/* One run of the model of this project in C: a LIF neuron with conductance synapses, additive
 * all-to-all STDP with hard bounds, Bernoulli input, forward Euler. A coincidence of an input and
 * an output spike in one step counts as LTP and as LTD. `pipeline/model/reference.py` defines it.
 *
 * - Input events are geometric gaps between spikes on the (step, synapse) lattice. The random
 *   numbers are counter-based: those of event j follow from j alone, and the loop that draws them
 *   is vectorised.
 * - Events are received a block of steps ahead of the membrane, as if no output spike came. Where
 *   one comes, the weights of later events are restored, and the rest of the block is received
 *   again. So neither the loop over events nor the loop over steps waits for the other.
 * - Presynaptic traces are stored divided by (1 - dt/tau_plus)^k, k the step within a stretch of
 *   steps: only events change them. The powers are tabulated once.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INCREMENT 0x9E3779B97F4A7C15u /* of the counter: odd */
enum { CHUNK = 1024, MAX_BLOCK = 128, MAX_STRETCH = 1024 };

typedef struct {
    int64_t n_synapses, n_steps, refractory_steps, seed;
    double probability; /* of an input spike in one cell */
    double V_th, V_reset, V_init, E_L, E_ex, dt_over_tau_m, g_max, w_init;
    double decay_ex, decay_plus, decay_minus; /* 1 - dt/tau */
    double A_plus, A_minus;
} Parameters;

/* Drawn events in time order: those from `first` to before `size` are pending. */
typedef struct {
    uint64_t start, drawn, last_cell; /* `start` and `drawn` are of the counter */
    double mean_gap, longest_gap, n_synapses;
    int64_t first, size;
    int64_t *step, *synapse;
    double *weight_before; /* of events that were received ahead */
} Events;

typedef union { uint64_t bits; double number; } Word;

static double as_double(uint64_t bits) { return (Word){.bits = bits}.number; }
static uint64_t as_bits(double number) { return (Word){.number = number}.bits; }

/* Conversions of whole numbers from 0 to 2^52 that vectorise without AVX-512: 2^52 as a double has
 * a mantissa of zeros, whose last bit counts ones. */
static double to_double(uint64_t whole) { return as_double(whole | 0x4330000000000000u) - 0x1p52; }
static uint64_t to_integer(double whole) { return as_bits(whole + 0x1p52) ^ 0x4330000000000000u; }

/* Mixing function of SplitMix64 (Steele, Lea & Flood 2014). */
static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Natural logarithm of a positive normal number, to 2 ulp: log(m) = 2 artanh((m - 1) / (m + 1)),
 * m the mantissa from sqrt(1/2) to sqrt(2). */
static double logarithm(double x) {
    uint64_t bits = as_bits(x) + 0x00095F619980C434u; /* carries into the exponent from sqrt(2) */
    double exponent = to_double(bits >> 52) - 1023;
    double m = as_double((bits & 0x000FFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCCu);
    double s = (m - 1) / (m + 1), z = s * s;
    double series = 1.531383769920937332e-01 + z * 1.479819860511658591e-01;
    series = 1.818357216161805012e-01 + z * series;
    series = 2.222219843214978396e-01 + z * series;
    series = 2.857142874366239149e-01 + z * series;
    series = 3.999999999940941908e-01 + z * series;
    series = 6.666666666666735130e-01 + z * series;
    return exponent * 0.693147180559945309 + s * (2 + z * series);
}

/* Return an empty buffer with room for the events of a block and a chunk; free `step` after use. */
static Events events_of(const Parameters *p) {
    const int64_t n = p->n_synapses, room = n * MAX_BLOCK + CHUNK;
    Events e = {.start = mix((uint64_t)p->seed), .last_cell = UINT64_MAX, .n_synapses = (double)n};
    e.mean_gap = -1 / log1p(-p->probability);
    e.longest_gap = (double)(p->n_steps * n);
    e.step = malloc((size_t)room * (2 * sizeof(int64_t) + sizeof(double)));
    e.synapse = e.step + room;
    e.weight_before = (double *)(e.step + 2 * room);
    return e;
}

/* Append CHUNK events; the pending ones move to the front. */
static void draw(Events *e) {
    const int64_t pending = e->size - e->first;
    const double mean_gap = e->mean_gap, longest_gap = e->longest_gap, n_synapses = e->n_synapses;
    const double per_synapse = 1 / n_synapses;
    uint64_t counter = e->start + e->drawn * INCREMENT, last_cell = e->last_cell, cell[CHUNK];
    memmove(e->step, e->step + e->first, pending * sizeof *e->step);
    memmove(e->synapse, e->synapse + e->first, pending * sizeof *e->synapse);
    int64_t *step = e->step + pending, *synapse = e->synapse + pending;
    for (int j = 0; j < CHUNK; j++, counter += INCREMENT) {
        uint64_t bits = mix(counter);
        double uniform = 2 - as_double((bits >> 12) | 0x3FF0000000000000u); /* in (0, 1] */
        double empty = -logarithm(uniform) * mean_gap;
        cell[j] = to_integer(floor(empty < longest_gap ? empty : longest_gap));
    }
    for (int j = 0; j < CHUNK; j++) cell[j] = last_cell += cell[j] + 1;
    for (int j = 0; j < CHUNK; j++) {
        double exact = to_double(cell[j]), steps = floor((exact + 0.5) * per_synapse);
        step[j] = to_integer(steps);
        synapse[j] = to_integer(exact - steps * n_synapses);
    }
    e->last_cell = last_cell;
    e->drawn += CHUNK;
    e->first = 0, e->size = pending + CHUNK;
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Steps between two rescalings of the traces, so that no power overflows. */
static int64_t stretch_of(double decay) {
    int64_t longest = decay < 1 ? (int64_t)(200 / -log(decay)) : MAX_STRETCH;
    return longest < 1 ? 1 : smaller(longest, MAX_STRETCH);
}

/* Steps received ahead: some 50 events, more where output spikes are rare against them. */
static int64_t block_of(const Parameters *p) {
    double steps = 50 / (p->probability * (double)p->n_synapses + 1e-9);
    return steps < 8 ? 8 : steps > MAX_BLOCK ? MAX_BLOCK : (int64_t)steps;
}

/* The neuron between steps, its synapses, and the tables of powers of the decay factors. */
typedef struct {
    double v, g, x_post;
    int64_t free_from; /* in the steps before it v stays at V_reset */
    double *restrict w, *restrict x;
    double down[MAX_STRETCH + 1], up[MAX_STRETCH + 1]; /* of x, and its inverse */
    double power_minus[MAX_BLOCK + 1];                 /* of x_post */
    double arriving[MAX_BLOCK], post[MAX_BLOCK];       /* by step of a block: input, x_post */
} State;

/* Fill the tables and set the weights. */
static void initialise(const Parameters *p, State *s, int64_t stretch) {
    s->down[0] = s->power_minus[0] = 1;
    for (int64_t k = 1; k <= stretch; k++) s->down[k] = s->down[k - 1] * p->decay_plus;
    for (int64_t k = 1; k <= stretch; k++) s->up[k] = 1 / s->down[k];
    for (int64_t k = 1; k <= MAX_BLOCK; k++)
        s->power_minus[k] = s->power_minus[k - 1] * p->decay_minus;
    s->up[0] = 0; /* the input of step 0 changes no trace */
    for (int64_t i = 0; i < p->n_synapses; i++) s->w[i] = p->w_init;
}

/* Receive the events of the steps `from` to before `end`, as if no output spike came: sums of the
 * weights before LTD, and LTD. Return the first event that is left. */
static int64_t receive(const Parameters *p, State *s, Events *e, int64_t from, int64_t end) {
    for (int64_t i = 0; i < end - from; i++) {
        s->arriving[i] = 0;
        s->post[i] = s->x_post * s->power_minus[i];
    }
    int64_t j = e->first;
    for (; e->step[j] < end; j++) {
        int64_t i = e->step[j] - from;
        double before = s->w[e->synapse[j]], after = before - p->A_minus * s->post[i];
        e->weight_before[j] = before;
        s->arriving[i] += before;
        s->w[e->synapse[j]] = after > 0 ? after : 0;
    }
    return j;
}

/* Integrate conductance and membrane from step `from`; return the step of the next output spike,
 * or `end`. */
static int64_t integrate(const Parameters *p, State *s, int64_t from, int64_t end) {
    const double a = p->dt_over_tau_m, rest = 1 - a, a_L = a * p->E_L, a_ex = a * p->E_ex;
    double v = s->v, g = s->g;
    int64_t step = from;
    for (; step < end && step < s->free_from; step++)
        g = g * p->decay_ex + p->g_max * s->arriving[step - from];
    for (; step < end && !(v >= p->V_th); step++) {
        g = g * p->decay_ex + p->g_max * s->arriving[step - from];
        v = v * (rest - a * g) + (a_L + a_ex * g);
    }
    s->v = v, s->g = g;
    return step;
}

/* Add events up to step `last` to the traces, from event `j` on; return the first that is left.
 * `base` is the first step of the stretch. */
static int64_t trace(State *s, const Events *e, int64_t j, int64_t last, int64_t base) {
    for (; e->step[j] <= last; j++) s->x[e->synapse[j]] += s->up[e->step[j] - base];
    return j;
}

/* An output spike: restore the weights of the events received from its step on, the last of which
 * is the one before `j`; then LTP of all synapses. */
static void spike(
    const Parameters *p, State *s, Events *e, int64_t j, int64_t step, int64_t from, int64_t base) {
    for (; j > e->first && e->step[j - 1] >= step; j--)
        s->w[e->synapse[j - 1]] = e->weight_before[j - 1];
    e->first = j;
    double amplitude = p->A_plus * s->down[step - base];
    for (int64_t i = 0; i < p->n_synapses; i++) {
        double after = s->w[i] + amplitude * s->x[i];
        s->w[i] = after < 1 ? after : 1;
    }
    s->x_post = s->post[step - from] + 1;
    s->v = p->V_reset;
    s->free_from = step + p->refractory_steps;
}

/* Run; write the final weights (n_synapses) and return the number of output spikes, -1 without
 * memory. The steps of the first `capacity` output spikes are written to `spike_step`. */
int64_t lif_stdp(const Parameters *p, double *w, int64_t *spike_step, int64_t capacity) {
    const int64_t n = p->n_synapses, last_step = p->n_steps - 1;
    const int64_t stretch = stretch_of(p->decay_plus), longest_block = block_of(p);
    State s = {.v = p->V_init, .w = w, .x = calloc((size_t)n, sizeof(double))};
    Events e = events_of(p);
    int64_t n_spikes = e.step && s.x ? 0 : -1;

    initialise(p, &s, stretch);
    for (int64_t base = 0, stop; base < last_step && n_spikes >= 0; base = stop) {
        stop = smaller(base + stretch, last_step);
        for (int64_t from = base, end; from < stop; from = end) {
            end = smaller(from + longest_block, stop);
            while (!e.size || e.step[e.size - 1] < end) draw(&e);
            int64_t traced = e.first, received = receive(p, &s, &e, from, end), step;
            while ((step = integrate(p, &s, from, end)) < end) {
                if (n_spikes < capacity) spike_step[n_spikes] = step;
                n_spikes++;
                traced = trace(&s, &e, traced, step, base);
                spike(p, &s, &e, received, step, from, base);
                from = step;
                received = receive(p, &s, &e, from, end);
            }
            trace(&s, &e, traced, end - 1, base);
            e.first = received;
            s.x_post *= s.power_minus[end - from];
        }
        for (int64_t i = 0; i < n; i++) s.x[i] *= s.down[stop - base];
        s.up[0] = 1;
    }
    free(e.step);
    free(s.x);
    return n_spikes;
}

/* Write the cells `step * n_synapses + synapse` of the first events, for tests. */
void lif_stdp_cells(const Parameters *p, int64_t *cells, int64_t n_events) {
    Events e = events_of(p);
    for (int64_t j = 0; j < n_events; j++, e.first++) {
        if (e.first == e.size) draw(&e);
        cells[j] = e.step[e.first] * p->n_synapses + e.synapse[e.first];
    }
    free(e.step);
}

const char lif_stdp_compiler[] = __VERSION__;
