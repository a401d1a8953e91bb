import TensorCore
import TestSupport
import Testing

@testable import Inference

/// Einsum against a sum over every combination of indices, and equations and shapes that break a rule.
struct EinsumTests {
    private func einsum(_ equation: String, _ operands: [Tensor]) throws -> Tensor {
        try SingleNode("Einsum", ["equation": .string(equation)]).run(operands)[0]
    }

    /// The sum over all values of all letters, for equations without `...`.
    private func oracle(_ equation: String, _ operands: [Tensor]) -> [Double] {
        let sides = equation.split(separator: ">", omittingEmptySubsequences: false)
        let terms = sides[0].dropLast().split(separator: ",", omittingEmptySubsequences: false)
        var lengths: [Character: Int] = [:]
        for (term, operand) in zip(terms, operands) {
            for (axis, letter) in term.enumerated() {
                lengths[letter] = max(lengths[letter] ?? 0, operand.shape[axis])
            }
        }
        let letters = Array(sides[1]) + lengths.keys.filter { !sides[1].contains($0) }
        let kept = sides[1].reduce(1) { $0 * (lengths[$1] ?? 1) }
        let total = letters.reduce(1) { $0 * (lengths[$1] ?? 1) }
        var sums = [Double](repeating: 0, count: kept)
        let values = operands.map(\.doubles)
        for number in 0..<total {
            var rest = number
            var place: [Character: Int] = [:]
            for letter in letters.reversed() {
                place[letter] = rest % (lengths[letter] ?? 1)
                rest /= lengths[letter] ?? 1
            }
            var product = 1.0
            for (index, term) in terms.enumerated() {
                var offset = 0
                for (axis, letter) in term.enumerated() {
                    offset = offset * operands[index].shape[axis] + (place[letter] ?? 0)
                }
                product *= values[index][offset]
            }
            sums[sides[1].reduce(0) { $0 * (lengths[$1] ?? 1) + (place[$1] ?? 0) }] += product
        }
        return sums
    }

    @Test(arguments: [
        "ij,jk->ik", "ij,kj->ki", "bij,bjk->bik", "ii->i", "ii->", "iij,j->i", "ij->", "ij->ji", "i,j,k->kji",
        "ij,ij->ij", "ij,ij->", "ab,bc,cd->ad", "abc,cd,def->abef", "i,->i", ",->", "bhid,bhjd->bhij",
        "ij,k->j",
        "ijk,ilm,njm,nlk,abc->", "aab,bc,ca->b",
    ])
    func `an equation is the sum it says`(_ equation: String) throws {
        var random = SplitMix(seed: 1)
        for length in [0, 1, 2, 3] {
            // Letters differ in length, so that axes that are mixed up are noticed.
            func size(_ letter: Character) -> Int {
                length == 0 && letter == "j" ? 0 : length + Int(letter.asciiValue ?? 0) % 2
            }
            var operands: [Tensor] = []
            for term in equation.prefix(while: { $0 != "-" }).split(
                separator: ",",
                omittingEmptySubsequences: false
            ) {
                operands.append(try Tensor.random(term.map(size), &random))
            }
            let y = try einsum(equation, operands)
            let expected = oracle(equation, operands)
            #expect(y.count == expected.count)
            for (a, b) in zip(y.doubles, expected) { #expect(abs(a - b) <= 1e-4 * max(1, abs(b))) }
            let wide = try einsum(equation, operands.map(\.widened))
            for (a, b) in zip(wide.doubles, expected) { #expect(abs(a - b) <= 1e-10 * max(1, abs(b))) }
        }
    }

    @Test func `further axes are broadcast from the last and come first in a result that is not named`()
        throws
    {
        var random = SplitMix(seed: 2)
        let a = try Tensor.random([2, 3, 4, 5], &random)
        let b = try Tensor.random([3, 5, 6], &random)
        let product = try SingleNode("MatMul").run([a, b])[0]
        let tolerance = Tolerance.close(absolute: 1e-6, because: "float32 sums")
        #expect(try tolerance.firstDifference(einsum("...ij,...jk->...ik", [a, b]), product) == nil)
        #expect(try tolerance.firstDifference(einsum("... ij, ...jk", [a, b]), product) == nil)
        #expect(try einsum("...i->...", [a]).shape.dimensions == [2, 3, 4])
        #expect(try einsum("ba", [b.slice(0..<1).reshaped(to: [5, 6])]).shape.dimensions == [6, 5])
        #expect(try einsum("...->...", [Tensor(scalar: Float(3))]) == Tensor(scalar: Float(3)))
    }

    @Test func `integers wrap around`() throws {
        let x = try Tensor([Int32.max, 2], shape: [2])
        #expect(try einsum("i,i->i", [x, x]) == Tensor([1, 4] as [Int32], shape: [2]))
        let bytes = try Tensor([200, 100] as [UInt8], shape: [2])
        #expect(try einsum("i->", [bytes]) == Tensor(scalar: UInt8(44)))
    }

    @Test(arguments: [
        "i,j->ij", "i.->i", "..i->i", "i......->i", "1->", "i->ii", "i->j", "i->->", "i-", "é->", "[->",
    ])
    func `an equation that breaks a rule is refused`(_ equation: String) throws {
        let x = Tensor(repeating: Float(1), shape: [2])
        #expect(try SingleNode("Einsum", ["equation": .string(equation)]).failure([x]) != nil)
    }

    @Test func `operands that do not fit are named`() throws {
        let x = Tensor(repeating: Float(1), shape: [2, 3])
        func failure(_ equation: String, _ operands: [Tensor]) throws -> OperatorError? {
            try SingleNode("Einsum", ["equation": .string(equation)]).failure(operands)
        }
        #expect(try failure("ijk->i", [x]) == .unsupportedRank(2, input: 0))
        #expect(try failure("ijk...->i", [x]) == .unsupportedRank(2, input: 0))
        #expect(
            try failure("ij,jk->ik", [x, x]) == .shape(.dimensionMismatch(axis: 0, expected: 3, actual: 2))
        )
        #expect(try failure("ii->i", [x]) == .shape(.dimensionMismatch(axis: 1, expected: 2, actual: 3)))
        #expect(try failure("ij,ij->ij", [x, x.widened]) == .elementTypesDiffer(.float32, .float64))
        #expect(try failure("ij->", [Tensor(repeating: true, shape: [1, 1])]) != nil)
        #expect(try SingleNode("Einsum").failure([x]) == .missingAttribute("equation"))
        let long = Tensor(repeating: Float(1), shape: [1 << 16])
        #expect(try failure("i,j->ij", [long, long]) != nil)
    }
}
