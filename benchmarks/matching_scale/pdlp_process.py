"""Solves one allocation's linear relaxation with OR-Tools' PDLP; started by `allocation_peers`.

A process of its own: OR-Tools and HiGHS do not import into one.
"""

import json
import sys
import time

import numpy as np
from ortools.pdlp import solve_log_pb2, solvers_pb2
from ortools.pdlp.python import pdlp
from scipy import sparse

MILLION_FEN = 10**8


def main(source: str, k: int, limit_s: float) -> dict[str, float | str]:
    """max coverage * f + saving . z, f_i <= sum z_i, sum z_i <= k, amounts within rooms.

    In millions of yuan, so that coefficients are near one.
    """
    data = np.load(source)
    requests, line = np.unique(data["request"], return_inverse=True)
    pairs, count, offers = len(line), len(requests), len(data["room"])
    amount = data["amount"] / MILLION_FEN
    room = data["room"] / MILLION_FEN
    columns = np.arange(pairs)
    reach = sparse.hstack(
        (sparse.csr_matrix((-np.ones(pairs), (line, columns)), (count, pairs)), sparse.eye(count))
    )
    most = sparse.csr_matrix((np.ones(pairs), (line, columns)), (count, pairs + count))
    money = sparse.csr_matrix((amount, (data["offer"], columns)), (offers, pairs + count))
    program = pdlp.QuadraticProgram()
    program.objective_vector = -np.concatenate(
        (data["saving"] / MILLION_FEN, np.full(count, float(data["coverage"]) / MILLION_FEN))
    )
    program.constraint_matrix = sparse.vstack((reach, most, money)).tocsc()
    rows = 2 * count + offers
    program.constraint_lower_bounds = np.full(rows, -np.inf)
    program.constraint_upper_bounds = np.concatenate((np.zeros(count), np.full(count, k), room))
    program.variable_lower_bounds = np.zeros(pairs + count)
    program.variable_upper_bounds = np.ones(pairs + count)
    parameters = solvers_pb2.PrimalDualHybridGradientParams()
    criteria = parameters.termination_criteria
    criteria.simple_optimality_criteria.eps_optimal_relative = 1e-4
    criteria.simple_optimality_criteria.eps_optimal_absolute = 1e-4
    criteria.time_sec_limit = limit_s
    parameters.num_threads = 2
    started, cpu = time.perf_counter(), time.process_time()
    result = pdlp.primal_dual_hybrid_gradient(program, parameters)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    solution = np.asarray(result.primal_solution)
    used = np.bincount(data["offer"], solution[:pairs] * amount, offers)
    over = np.maximum(used - room, 0)
    reason = solve_log_pb2.TerminationReason.Name(result.solve_log.termination_reason)
    return {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "status": reason,
        "value_fen": float(-(program.objective_vector @ solution) * MILLION_FEN),
        "offers_over_room": float((over > 1e-9 * room).sum()),
        "most_over_room": float((over / np.maximum(room, 1e-9)).max()),
        "not_whole": float(((solution > 1e-3) & (solution < 1 - 1e-3)).sum()),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
