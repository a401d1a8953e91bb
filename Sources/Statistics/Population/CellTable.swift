/// Exact sums at the cells that batches touched, and how many batches touched each.
///
/// A cell is a list of numbers, such as the steps of nested loops. Sums are kept only for cells that were touched, so
/// that a longer batch moves nothing.
struct CellTable: Sendable {
    /// Sums a cell.
    let width: Int
    private(set) var cells: [[Int]] = []
    private(set) var batches: [Int] = []
    private(set) var sums = ExactSums(count: 0)
    private var places: [[Int]: Int] = [:]

    init(width: Int) {
        self.width = width
    }

    /// The place of a cell, where it is put if it is new.
    mutating func place(of cell: [Int]) -> Int {
        if let place = places[cell] { return place }
        let place = cells.count
        places[cell] = place
        cells.append(cell)
        batches.append(0)
        sums.append(count: width)
        return place
    }

    /// Counts one batch at a place, and adds its values, exactly.
    mutating func addBatch(at place: Int, _ add: (inout ExactSums, _ first: Int) -> Void) {
        batches[place] += 1
        add(&sums, place * width)
    }

    /// Adds what another table holds; the caller has made sure that it is as wide, and that the counts fit.
    mutating func merge(_ other: CellTable) {
        for (index, cell) in other.cells.enumerated() {
            let place = place(of: cell)
            batches[place] += other.batches[index]
            sums.add(other.sums, from: (index * width)..<((index + 1) * width), at: place * width)
        }
    }

    /// The same table with its cells in ascending order and its sums trimmed: one form for equal tables.
    func canonical() -> CellTable {
        let order = cells.indices.sorted { cells[$0].lexicographicallyPrecedes(cells[$1]) }
        let indices = order.flatMap { ($0 * width)..<(($0 + 1) * width) }
        return CellTable(
            width: width,
            cells: order.map { cells[$0] },
            batches: order.map { batches[$0] },
            sums: sums.selecting(indices).trimmed()
        )
    }

    /// A table from its parts, of equal length; cells must differ.
    init(width: Int, cells: [[Int]], batches: [Int], sums: ExactSums) {
        self.width = width
        self.cells = cells
        self.batches = batches
        self.sums = sums
        places = Dictionary(zip(cells, cells.indices)) { first, _ in first }
    }
}

extension CellTable: Equatable {
    static func == (a: CellTable, b: CellTable) -> Bool {
        guard a.width == b.width, a.cells.count == b.cells.count else { return false }
        let (left, right) = (a.canonical(), b.canonical())
        return left.cells == right.cells && left.batches == right.batches && left.sums == right.sums
    }
}
