import CKernels
import Kernels
import Testing

/// The operations of a loop's body, on every instruction set.
struct StepProgramTests {
    @Test(arguments: InstructionSetTests.available)
    func `a product with a scale and shift has the bits of the two, for any rows and rows of tables`(
        set: InstructionSet
    ) throws {
        let table = try #require(sn_kernels_for(Int32(set.rawValue))).pointee
        var numbers = Numbers(seed: 41)
        for (inner, columns) in [(1, 1), (7, 33), (20, 64), (64, 256), (5, 300)] {
            let steps = 3
            let weights = numbers.array(inner * columns)
            var panels = [Float](repeating: 0, count: (columns + 31) / 32 * 32 * inner)
            table.pack(inner, columns, weights, columns, 1, &panels)
            let scales = numbers.array(4 * columns)
            let order = [2, 0, 3]
            for rows in [1, 2, 3, 4, 12, 13, 32] {
                let a = numbers.array(rows * inner)
                let shifts = numbers.array(steps * rows * columns)
                var product = [Float](repeating: 0, count: rows * columns)
                table.multiply(rows, columns, inner, 1, a, inner, panels, 0, &product, columns, nil, 0)
                var together = [Float](repeating: 0, count: steps * rows * columns)
                var apart = together
                scales.withUnsafeBufferPointer { scales in
                    shifts.withUnsafeBufferPointer { shifts in
                        order.withUnsafeBufferPointer { order in
                            a.withUnsafeBufferPointer { a in
                                panels.withUnsafeBufferPointer { panels in
                                    var step = sn_step()
                                    step.kind = Int32(SN_STEP_MULTIPLY_AFFINE.rawValue)
                                    (step.rows, step.columns, step.inner) = (rows, columns, inner)
                                    step.alpha = 1
                                    step.panels = panels.baseAddress
                                    step.a.data = a.baseAddress
                                    step.a.row = inner
                                    step.b.data = scales.baseAddress
                                    (step.b.step, step.b.index) = (columns, order.baseAddress)
                                    step.d.data = shifts.baseAddress
                                    (step.d.row, step.d.step) = (columns, rows * columns)
                                    together.withUnsafeMutableBufferPointer { c in
                                        step.c = c.baseAddress
                                        (step.c_row, step.c_step) = (columns, rows * columns)
                                        table.run_steps(&step, 1, steps, nil)
                                    }
                                    var affine = step
                                    affine.kind = Int32(SN_STEP_AFFINE.rawValue)
                                    (affine.b.column, affine.d.column) = (1, 1)
                                    product.withUnsafeBufferPointer { product in
                                        affine.a.data = product.baseAddress
                                        affine.a.row = columns
                                        affine.a.column = 1
                                        apart.withUnsafeMutableBufferPointer { c in
                                            affine.c = c.baseAddress
                                            table.run_steps(&affine, 1, steps, nil)
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                #expect(together.hasBits(of: apart), "\(inner) x \(columns), \(rows) rows")
            }
        }
    }
}
