import Kernels
import TensorCore

/// A product that the node that reads it computes.
struct ScanProduct {
    let prepared: MatMul.Prepared
    let alpha: Float
    let a: ScanPlace

    var dimensions: [Int] { a.dimensions.dropLast() + [prepared.matrix.columns] }
}

/// Products and sums in one pass.
extension ScanRun {
    /// Adds `x * scale + shift`, together with the product that `x` or the scale is, if it is left to this.
    mutating func addMultiplyAdd(_ index: Int, _ output: PlanGraph.ValueID) -> Bool {
        let inputs = schedule.graph.nodes[index].inputs
        guard inputs.count == 3, let x = inputs[0], let y = inputs[1], let shift = place(of: inputs[2])
        else { return false }
        for (factor, other) in [(x, y), (y, x)] {
            guard let product = products[factor] else { continue }
            guard let scale = place(of: other) else { return false }
            return addScaled(product, scale, shift, index, output)
        }
        guard let a = place(of: x), let b = place(of: y) else { return false }
        return addMultiplyAdd(a, b, shift, index, output)
    }

    private mutating func addMultiplyAdd(
        _ x: ScanPlace,
        _ y: ScanPlace,
        _ shift: ScanPlace,
        _ index: Int,
        _ output: PlanGraph.ValueID
    ) -> Bool {
        guard let dimensions = Self.broadcast(x.dimensions, y.dimensions, shift.dimensions) else {
            return false
        }
        // One factor has a row for each of the result, dense.
        guard let (a, b) = [(x, y), (y, x)].first(where: { $0.0.dimensions == dimensions }),
            let c = makeResult(output, dimensions, of: index)
        else { return false }
        program.affine(
            a.operand,
            scale: b.broadcast(columns: c.columns),
            shift: shift.broadcast(columns: c.columns),
            to: c
        )
        return true
    }

    private mutating func addScaled(
        _ product: ScanProduct,
        _ scale: ScanPlace,
        _ shift: ScanPlace,
        _ index: Int,
        _ output: PlanGraph.ValueID
    ) -> Bool {
        let dimensions = product.dimensions
        guard Self.broadcast(dimensions, scale.dimensions, shift.dimensions) == dimensions else {
            return false
        }
        let columns = product.prepared.matrix.columns
        let (b, d) = (scale.broadcast(columns: columns), shift.broadcast(columns: columns))
        // In the tile, the scale is a row for all.
        if b.row == 0, b.column == 1, d.column == 1 {
            guard let c = makeResult(output, dimensions) else { return false }
            program.multiply(
                product.a.operand,
                product.prepared.matrix,
                alpha: product.alpha,
                scale: b,
                shift: d,
                to: c
            )
            return true
        }
        guard let c = makeResult(output, dimensions), let place = places[output] else { return false }
        program.multiply(product.a.operand, product.prepared.matrix, alpha: product.alpha, to: c)
        return addMultiplyAdd(place, scale, shift, index, output)
    }
}
